// The other end of rpc-server.mjs: asks for two things at once. The quick answer comes first, and each one
// finds whoever asked for it.

import { dial } from 'spliceway';
import { FramedConn } from 'spliceway/codec';
import { clientOf } from './rpc.mjs';

const [product = 'apple', count = '1', address = '127.0.0.1:7002'] = process.argv.slice(2);
const framed = new FramedConn(await dial('tcp', address, { timeout: 5000 }), { session: true });
const { price, reverse } = clientOf(framed);

await Promise.all([
  price({ product, count: Number(count) }).then(
    ({ cents }) => console.log(`${count} x ${product}: ${(cents / 100).toFixed(2)}`),
    (error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  ),
  reverse({ text: product }).then(({ text }) => console.log(`backwards: ${text}`)),
]);
await framed.shutdown();
