// A database driver on FramedConn and Pool: what one for a real protocol would look like.
//
//   Connection   one connection: prepare, begin, commit, rollback
//   Database     as many of them as are needed; what users see

import { dial } from 'spliceway';
import { FramedConn } from 'spliceway/codec';
import { Pool } from 'spliceway/pool';

const PREPARE = 1;
const EXECUTE = 2;
const BEGIN = 3;
const COMMIT = 4;
const ROLLBACK = 5;

export class Connection {
  isOpen = true;
  inTransaction = false;
  #frames;
  #prepared = new Map();

  static async connect(address, { signal } = {}) {
    return new Connection(await dial('tcp', address, { signal, timeout: 3000 }));
  }

  constructor(conn) {
    // The process lives for what is asked, not for connections that idle.
    conn.unref();
    this.#frames = new FramedConn(conn, { session: true });
    this.#watch();
  }

  // This protocol has no frames but answers, so the next one to be received is the end.
  async #watch() {
    await this.#frames.receive().catch(() => {});
    this.close();
  }

  async #ask(command, ...args) {
    const answer = await this.#frames.request(command, JSON.stringify(args), { deadline: Date.now() + 5000 });
    return JSON.parse(answer);
  }

  /** A statement that the server has parsed; each is sent once for each connection. */
  async prepare(text) {
    if (!this.#prepared.has(text)) this.#prepared.set(text, await this.#ask(PREPARE, text));
    const id = this.#prepared.get(text);
    return { execute: (...values) => this.#ask(EXECUTE, id, ...values) };
  }

  async query(text, ...values) {
    const statement = await this.prepare(text);
    return statement.execute(...values);
  }

  async begin() {
    await this.#ask(BEGIN);
    this.inTransaction = true;
  }

  async commit() {
    await this.#ask(COMMIT);
    this.inTransaction = false;
  }

  async rollback() {
    await this.#ask(ROLLBACK);
    this.inTransaction = false;
  }

  close() {
    this.isOpen = false;
    return this.#frames.close();
  }
}

export class Database {
  pool;

  constructor(address, { maxOpen = 10 } = {}) {
    this.pool = new Pool({
      connect: ({ signal }) => Connection.connect(address, { signal }),
      // What a borrower left behind must not be there for the next one. Where rolling back fails, the pool closes the
      // connection, and the server rolls back by itself.
      reset: (connection) => (connection.inTransaction ? connection.rollback() : undefined),
      validate: (connection) => connection.isOpen,
      validateOnBorrow: true,
      maxOpen,
    });
  }

  query(text, ...values) {
    return this.pool.use((connection) => connection.query(text, ...values));
  }

  /** Calls `body` in a transaction, which is committed when it is through, and rolled back when it fails. */
  async transaction(body) {
    const lease = await this.pool.borrow();
    try {
      await lease.conn.begin();
      const result = await body(lease.conn);
      await lease.conn.commit();
      return result;
    } finally {
      lease.release(); // inside the transaction still, where anything failed
    }
  }

  close() {
    return this.pool.drain();
  }
}
