// What the tests of spliceway/node share.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { connect, type Socket } from 'node:net';
import { type ListenOptions, listen, type SocketListener, type TCPConn } from 'spliceway';
import type { Attached } from 'spliceway/node';
import { afterEach } from 'vitest';

const tlsFile = (name: string) => readFileSync(new URL(`../support/tls/${name}`, import.meta.url));

export const credentials = { key: tlsFile('key.pem'), cert: tlsFile('cert.pem') };

const open: { close?(): unknown; destroy?(): unknown }[] = [];

afterEach(() => {
  for (const each of open.splice(0)) (each.destroy ?? each.close)?.call(each);
});

/** Closed after the test. */
export function kept<T extends object>(each: T): T {
  open.push(each);
  return each;
}

export async function anyPort(options?: ListenOptions): Promise<SocketListener<TCPConn>> {
  return kept(await listen('tcp', '127.0.0.1:0', options));
}

export const portOf = (attached: Attached): number => (attached.addr as { port: number }).port;

export interface Answer {
  status: number | undefined;
  text: string;
  connection: string | undefined;
}

/** A request to that port, and the whole answer. */
export async function ask(port: number, path = '/', options: https.RequestOptions = {}): Promise<Answer> {
  const get = options.protocol === 'https:' ? https.get : http.get;
  const request = get({ host: '127.0.0.1', port, path, rejectUnauthorized: false, ...options });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode, text, connection: response.headers.connection };
}

/** A connection that says so much, and what came back until now. */
export async function raw(port: number, text = ''): Promise<Socket & { received: string }> {
  const socket = kept(connect(port, '127.0.0.1')) as Socket & { received: string };
  socket.received = '';
  socket.on('error', () => {});
  socket.setEncoding('utf8').on('data', (more: string) => {
    socket.received += more;
  });
  await once(socket, 'connect');
  if (text !== '') socket.write(text);
  return socket;
}

/** Whatever it is that ends it. */
export function gone(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve));
}
