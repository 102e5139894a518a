// A very small database, for examples/database-client.mjs: names and values, prepared statements, transactions.
//
//   node examples/database-server.mjs [host:port]   127.0.0.1:7004 unless told

import { listen, serve } from 'spliceway';
import { FramedConn } from 'spliceway/codec';

const [address = '127.0.0.1:7004'] = process.argv.slice(2);

const values = new Map();

const statements = {
  'get ?': (session, name) => session.changes?.get(name) ?? values.get(name) ?? null,
  'put ? ?': (session, name, value) => {
    (session.changes ?? values).set(name, value);
  },
};

// What each command does with its arguments. What throws, the client is told.
const commands = {
  1: function prepare(session, text) {
    if (!Object.hasOwn(statements, text)) throw new Error(`no such statement: ${text}`);
    return session.prepared.push(statements[text]) - 1;
  },
  2: function execute(session, id, ...given) {
    const statement = session.prepared[id];
    if (statement === undefined) throw new Error(`nothing is prepared as ${id}`);
    return statement(session, ...given);
  },
  3: function begin(session) {
    if (session.changes !== null) throw new Error('a transaction is under way');
    session.changes = new Map();
  },
  4: function commit(session) {
    if (session.changes === null) throw new Error('no transaction is under way');
    for (const [name, value] of session.changes) values.set(name, value);
    session.changes = null;
  },
  5: function rollback(session) {
    session.changes = null;
  },
};

const listener = await listen('tcp', address);
const server = serve(listener, (conn) => {
  const session = { prepared: [], changes: null };
  const client = new FramedConn(conn, { session: true });
  client.onRequest(({ command, body }) => {
    const answer = commands[command]?.(session, ...JSON.parse(body));
    return JSON.stringify(answer ?? null);
  });
});
console.log(`listening tcp ${listener.addr}`);

const stop = () => server.shutdown({ timeout: 100 });
process.once('SIGINT', stop).once('SIGTERM', stop);
