// node-http.mjs with connections of spliceway/net.

import { createServer as createHTTPServer } from 'node:http';
import { createServer } from 'spliceway/net';
import { addressesGiven, listenAndAnnounce } from './address.mjs';
import { hello } from './hello.mjs';

const [address] = addressesGiven(1, 'spliceway-net-http.mjs host:port');

const http = createHTTPServer(hello);
const options = { allowHalfOpen: true, noDelay: true };
listenAndAnnounce(
  createServer(options, (socket) => http.emit('connection', socket)),
  address,
);
