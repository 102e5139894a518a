// Requests to an http server that says hello, on connections that are kept alive.

import { nodeHTTP, splicewayHTTP, splicewayNetHTTP } from '../contenders.mjs';
import { measureServer } from '../runner/measure.mjs';
import { atMost } from '../runner/targets.mjs';

const NANOSECONDS_TO_MICROSECONDS = 1e-3;
const MANY = '64 connections';

export const http = {
  name: 'http',
  title: 'HTTP',
  about:
    'Hello from node:http, one request at a time on each connection: on its own listen(), and attached to a listener.',
  unit: 'µs of server CPU per request',
  things: 'requests',
  contenders: [nodeHTTP, splicewayHTTP, splicewayNetHTTP],
  baselines: [nodeHTTP],
  quick: [nodeHTTP, splicewayHTTP],
  cells: [{ name: MANY, load: { connections: 64 }, quick: true }],
  trial: (contender, cell, time) => measureServer('http', contender, cell.load, time, NANOSECONDS_TO_MICROSECONDS),
  targets: [atMost(MANY, splicewayHTTP, 1.05, nodeHTTP)],
};
