// The demo's other side: what `spliceway send` and `spliceway proxy` do, as node:net programs do it.

import { createReadStream } from 'node:fs';
import { connect, createServer } from 'node:net';
import { pipeline } from 'node:stream';

const [, , role, at, what] = process.argv;

const endpoint = (text) => {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
};

const ignore = () => {};

const roles = {
  send: (socket) => pipeline(createReadStream(what), socket, ignore),
  proxy: (socket) => {
    const upstream = connect({ ...endpoint(what), allowHalfOpen: true });
    pipeline(socket, upstream, socket, ignore);
  },
};

const server = createServer({ allowHalfOpen: true }, roles[role]);
server.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
server.listen(endpoint(at), () => console.log(`listening tcp ${server.address().address}:${server.address().port}`));
