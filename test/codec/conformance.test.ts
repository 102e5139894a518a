// The conformance suite of spliceway/testing over FramedConn, seen as a Conn whose packets are frames. What does not
// apply is left out: streams that cut anywhere, and calls of nothing, since an empty frame is a message.

import { type Conn, pipe } from 'spliceway';
import { FramedConn, type FramedConnOptions } from 'spliceway/codec';
import { type ConnPair, testConn } from 'spliceway/testing';
import { describe, test } from 'vitest';
import { tcpPair } from '../support/pair.ts';
import { FramedView } from './framed-view.ts';

const OF_NOTHING = /empty read|read\(\) of nothing/;

function framed(a: Conn, b: Conn, options: FramedConnOptions): ConnPair {
  const stop = () => {
    a.close();
    b.close();
  };
  return { a: new FramedView(new FramedConn(a, options)), b: new FramedView(new FramedConn(b, options)), stop };
}

async function overTcp(options: FramedConnOptions): Promise<ConnPair> {
  const { client, server } = await tcpPair();
  return framed(client, server, options);
}

const makes: [string, () => Promise<ConnPair>][] = [
  ['a socket', () => overTcp({})],
  ['a pipe', async () => framed(...pipe(), {})],
  ['a socket, with a session', () => overTcp({ session: true })],
];

describe.each(makes)('frames over %s', (_, make) => {
  for (const { name, run } of testConn(make, { packets: true })) {
    if (!OF_NOTHING.test(name)) test(name, run);
  }
});
