// node-http.mjs with a listener of spliceway in front.

import { createServer } from 'node:http';
import { listen } from 'spliceway';
import { attach } from 'spliceway/node';
import { addressesGiven } from './address.mjs';
import { hello } from './hello.mjs';

const [address] = addressesGiven(1, 'spliceway-http.mjs host:port');

const attached = attach(await listen('tcp', address), createServer(hello));
console.log(`listening tcp ${attached.addr}`);
