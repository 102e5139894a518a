// Bytes: they all arrive, in order, once.

import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import type { Conn } from '../conn';
import { bytes, CHUNK, drain, echo, flood, LONG_AGO, readFull, readToEnd, roundTrip, writeChunks } from './bytes';
import type { ConnClaim } from './conn';
import { type Failure, inBackground, timesOut } from './suite';

const MIB = 1024 * 1024;

export const streamTests: ConnClaim[] = [
  {
    name: 'basic I/O: a mebibyte arrives unchanged, then the end',
    async claim({ a, b }) {
      const sent = bytes(MIB);
      const writing = writeChunks(a, sent).then(() => a.close());
      const got = await readToEnd(b);
      strictEqual(await writing, true);
      strictEqual(b.close(), true);
      ok(got.equals(sent), 'other bytes arrived than were sent');
    },
  },
  {
    name: 'ping-pong: two ends answer each other a thousand times',
    async claim({ a, b }) {
      const players = [pingPong(a), pingPong(b)];
      await a.write(Buffer.alloc(8));
      await Promise.all(players);
    },
  },
  {
    name: 'both directions at once',
    async claim({ a, b }) {
      const [up, down] = [bytes(MIB / 4, 1), bytes(MIB / 4, 2)];
      const [atB, atA] = await Promise.all([
        readFull(b, up.length),
        readFull(a, down.length),
        writeChunks(a, up),
        writeChunks(b, down),
      ]);
      ok(atB?.equals(up), 'other bytes arrived at b');
      ok(atA?.equals(down), 'other bytes arrived at a');
    },
  },
  {
    name: 'racy read: ten readers with deadlines, and buffers that are written to once a call is over',
    async claim({ a, b }) {
      inBackground(flood(b));
      await Promise.all(Array.from({ length: 10 }, () => racyReader(a)));
    },
  },
  {
    name: 'racy write: ten writers with deadlines, and buffers that are written to once a call is over',
    async claim({ a, b }) {
      inBackground(drain(b));
      await Promise.all(Array.from({ length: 10 }, () => racyWriter(a)));
    },
  },
  {
    name: 'data that nobody had read is delivered before the end',
    async claim({ a, b }) {
      const writing = a.write('last words').then(() => a.close());
      strictEqual(String(await readToEnd(b)), 'last words');
      await writing;
    },
  },
  {
    name: 'read(p) takes no more than p has room for, and touches nothing else',
    streamsOnly: true,
    async claim({ a, b }) {
      const p = Buffer.alloc(8, '-');
      const writing = a.write('abcdef');
      strictEqual(await b.read(p.subarray(2, 5)), 3);
      strictEqual(String(p), '--abc---');
      strictEqual(String(await readFull(b, 3)), 'def');
      strictEqual(await writing, 6);
    },
  },
  {
    name: 'read() gives a chunk of its own, and no more than 64 KiB',
    streamsOnly: true,
    async claim({ a, b }) {
      const sent = bytes(200_000);
      const writing = a.write(sent);
      const chunks: Buffer[] = [];
      for (let got = 0; got < sent.length; ) {
        const chunk = (await b.read()) as Buffer;
        ok(chunk.length > 0 && chunk.length <= 65536, `a chunk of ${chunk.length} bytes`);
        chunks.push(chunk);
        got += chunk.length;
      }
      await writing;
      ok(Buffer.concat(chunks).equals(sent), 'other bytes arrived than were sent');
    },
  },
  {
    name: 'writes that are made at once arrive one after the other, none inside another',
    streamsOnly: true,
    async claim({ a, b }) {
      const parts = Array.from({ length: 8 }, (_, i) => Buffer.alloc(100_000, i));
      const writes = parts.map((part) => a.write(part));
      deepStrictEqual(await readFull(b, 800_000), Buffer.concat(parts));
      deepStrictEqual(await Promise.all(writes), Array(8).fill(100_000));
    },
  },
  {
    name: 'writev() writes the members in order',
    async claim({ a, b }) {
      const writing = a.writev([Buffer.from('one '), Buffer.from('two '), Buffer.from('three')]);
      strictEqual(String(await readFull(b, 13)), 'one two three');
      strictEqual(await writing, 13);
    },
  },
  {
    name: 'a string is written as UTF-8',
    async claim({ a, b }) {
      const writing = a.write('ä€😀');
      strictEqual(String(await readFull(b, 9)), 'ä€😀');
      strictEqual(await writing, 9);
    },
  },
  {
    name: 'tryWrite() says how much it took, and that much arrives',
    async claim({ a, b }) {
      const reading = b.read(Buffer.alloc(CHUNK));
      const taken = a.tryWrite(bytes(CHUNK));
      ok(taken >= 0 && taken <= CHUNK, `tryWrite() said ${taken}`);
      if (taken === 0) await a.write(bytes(CHUNK));
      ok(((await reading) ?? 0) > 0, 'nothing arrived');
    },
  },
  {
    name: 'handler style: the bytes in order, then the end',
    async claim({ a, b }) {
      const sent = bytes(MIB / 4);
      const got = collect(b);
      await writeChunks(a, sent);
      a.close();
      ok((await got).equals(sent), 'other bytes arrived than were sent');
    },
  },
  {
    name: 'handler style: a promise of data() holds back what follows',
    async claim({ a, b }) {
      let inside = 0;
      let most = 0;
      const got = collect(b, async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
      });
      await writeChunks(a, bytes(32 * CHUNK));
      a.close();
      strictEqual((await got).length, 32 * CHUNK);
      strictEqual(most, 1);
    },
  },
  {
    name: 'deadlines in the past and back lose nothing',
    async claim({ a, b }) {
      inBackground(echo(b));
      for (let i = 0; i < 5; i++) {
        a.setDeadline(LONG_AGO);
        await timesOut(a.read(Buffer.alloc(CHUNK)), 'read()');
        await roundTrip(a);
      }
    },
  },
];

async function pingPong(conn: Conn): Promise<void> {
  for (let previous = 0; ; ) {
    const p = await readFull(conn, 8);
    if (p === null) break;
    const value = p.readUInt32LE();
    p.writeUInt32LE(value + 1);
    if (previous !== 0) strictEqual(value, previous + 2);
    previous = value;
    if (value === 1000) break;
    await conn.write(p);
  }
  strictEqual(conn.close(), true);
}

async function racyReader(conn: Conn): Promise<void> {
  const p = Buffer.alloc(CHUNK);
  for (let i = 0; i < 100; i++) {
    await conn.read(p).catch((error: Failure) => {
      ok(error.timeout === true, `read() failed with: ${error.message}`);
      conn.setReadDeadline(Date.now() + 1);
    });
    p.fill(0);
  }
}

async function racyWriter(conn: Conn): Promise<void> {
  const p = Buffer.alloc(CHUNK);
  for (let i = 0; i < 100; i++) {
    await conn.write(p).catch((error: Failure) => {
      ok(error.timeout === true, `write() failed with: ${error.message}`);
      conn.setWriteDeadline(Date.now() + 1);
    });
    p.fill(i);
  }
}

/** All that comes, in handler style. */
function collect(conn: Conn, each: () => unknown = () => {}): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, error) => {
    conn.handle({
      data(chunk) {
        chunks.push(Buffer.from(chunk));
        return each();
      },
      end: () => resolve(Buffer.concat(chunks)),
      error,
    });
  });
}
