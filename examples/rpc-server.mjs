// Calls of procedures with protocol buffers, over frames with a CRC. Many are under way at a time on one
// connection: each request has an id, which its response carries (FramedConn's `session`).
//
//   node examples/rpc-server.mjs [host:port]                127.0.0.1:7002 unless told
//   node examples/rpc-client.mjs PRODUCT COUNT [host:port]  in another terminal
//
// It takes protobufjs: npm install protobufjs

import { setTimeout as sleep } from 'node:timers/promises';
import { listen, serve } from 'spliceway';
import { FramedConn } from 'spliceway/codec';
import { answer } from './rpc.mjs';

const [address = '127.0.0.1:7002'] = process.argv.slice(2);
const CENTS = { apple: 30, melon: 250 };

const implementations = {
  async price({ product, count }) {
    await sleep(20); // as if somebody had to look it up
    // The message of an error reaches the caller.
    if (!Object.hasOwn(CENTS, product)) throw new Error(`there is no ${product}`);
    return { cents: CENTS[product] * count };
  },
  reverse: ({ text }) => ({ text: [...text].reverse().join('') }),
};

function talk(conn) {
  const framed = new FramedConn(conn, { session: true, maxFrame: 64 * 1024 });
  answer(framed, implementations);
  framed.onFrames(() => {}, { error: (error) => console.error(error.message) });
}

const listener = await listen('tcp', address);
const server = serve(listener, talk);
console.log(`listening tcp ${listener.addr}`);
const stop = () => server.shutdown({ timeout: 100 });
process.once('SIGINT', stop).once('SIGTERM', stop);
