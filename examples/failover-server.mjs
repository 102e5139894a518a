// Answers requests in capitals. Two of these, and examples/failover-client.mjs with both addresses.
//
//   node examples/failover-server.mjs [host:port]   127.0.0.1:7002 unless told

import { listen, serve } from 'spliceway';
import { FramedConn } from 'spliceway/codec';

const [address = '127.0.0.1:7002'] = process.argv.slice(2);

const listener = await listen('tcp', address);
const clients = new Set();
const server = serve(listener, async (conn) => {
  const client = new FramedConn(conn, { session: true });
  clients.add(client);
  client.onRequest(({ body }) => `${body}`.toUpperCase());
  await client.receive().catch(() => {}); // nothing but requests comes: this is the end of it
  clients.delete(client);
  await client.shutdown();
});
console.log(`listening tcp ${listener.addr}`);

// Clients are told, so that they can go elsewhere: what they have asked is answered.
async function stop() {
  const stopping = server.shutdown({ timeout: 1000 });
  await Promise.all([...clients].map((client) => client.shutdown({ timeout: 1000 })));
  await stopping;
}
process.once('SIGINT', stop).once('SIGTERM', stop);
