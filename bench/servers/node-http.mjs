// HTTP as most write it: node:http on its own listen().

import { createServer } from 'node:http';
import { addressesGiven, listenAndAnnounce } from './address.mjs';
import { hello } from './hello.mjs';

const [address] = addressesGiven(1, 'node-http.mjs host:port');

listenAndAnnounce(createServer(hello), address);
