import { randomBytes } from 'node:crypto';
// Two ends of a connection.

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dial, listen, type SocketListener, type TCPConn, type UnixConn } from 'spliceway';

// Process ids come again, and with them what a killed process has left behind.
const run = randomBytes(6).toString('hex');
let sockets = 0;

/** A path for a Unix socket that nothing else uses. */
export function socketPath(): string {
  return join(tmpdir(), `spliceway-${run}-${sockets++}.sock`);
}

export interface Pair<C extends TCPConn | UnixConn> extends Disposable {
  client: C;
  server: C;
  listener: SocketListener<C>;
}

export async function tcpPair(): Promise<Pair<TCPConn>> {
  const listener = await listen('tcp', '127.0.0.1:0');
  const [server, client] = await Promise.all([listener.accept(), dial('tcp', `${listener.addr}`)]);
  return paired(client, server, listener);
}

export async function unixPair(network: 'unix' | 'unixpacket' = 'unix'): Promise<Pair<UnixConn>> {
  const listener = await listen(network, socketPath());
  const [server, client] = await Promise.all([listener.accept(), dial(network, `${listener.addr}`)]);
  return paired(client, server, listener);
}

function paired<C extends TCPConn | UnixConn>(client: C, server: C, listener: SocketListener<C>): Pair<C> {
  return {
    client,
    server,
    listener,
    [Symbol.dispose]() {
      client.close();
      server.close();
      listener.close();
    },
  };
}

/** Streams of bytes by name, for what holds on each of them. */
export const streams: [network: 'tcp' | 'unix', makePair: () => Promise<Pair<TCPConn | UnixConn>>][] = [
  ['tcp', tcpPair],
  ['unix', unixPair],
];
