// What a proxy forwards to.

import {
  type Conn,
  dial,
  listen,
  type Server,
  type SocketListener,
  serve,
  type TCPConn,
  type UnixConn,
} from 'spliceway';
import { readAll } from './bytes.ts';
import { socketPath } from './pair.ts';

export type Socket = TCPConn | UnixConn;

/** A listener, and how it is written as a target. */
export type Target = SocketListener<Socket> & { argument: string };

export async function target(network: 'tcp' | 'unix' = 'tcp'): Promise<Target> {
  const listener: SocketListener<Socket> =
    network === 'tcp' ? await listen('tcp', '127.0.0.1:0') : await listen('unix', socketPath());
  return Object.assign(listener, { argument: network === 'tcp' ? `${listener.addr}` : `unix:${listener.addr}` });
}

/** An address at which nobody listens. */
export async function nobody(): Promise<string> {
  const listener = await listen('tcp', '127.0.0.1:0');
  listener.close();
  return `${listener.addr}`;
}

/** A server at a target, with what it is called. */
export interface Serving extends AsyncDisposable {
  readonly argument: string;
  readonly server: Server;
}

/** Sends every byte back. */
export async function echo(network: 'tcp' | 'unix' = 'tcp'): Promise<Serving> {
  return serving(await target(network), async (conn) => {
    for await (const chunk of conn) await conn.write(chunk);
  });
}

/** Says its name, and is done. */
export async function greeter(name: string, at?: string): Promise<Serving> {
  const listener = at === undefined ? await target() : Object.assign(await listen('tcp', at), { argument: at });
  return serving(listener, async (conn) => {
    await conn.write(name);
    await conn.shutdown();
  });
}

function serving(listener: Target, handler: (conn: Socket) => Promise<void>): Serving {
  const server = serve(listener, handler);
  return {
    argument: listener.argument,
    server,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

/** What a client of the proxy reads to the end: '' where it is turned away. */
export async function ask(proxy: { addr: Conn['localAddr'] }, localAddr?: string): Promise<string> {
  const { network } = proxy.addr as { network: 'tcp' | 'unix' };
  using conn = await dial(network, `${proxy.addr}`, { localAddr });
  return String(await readAll(conn).catch(() => ''));
}
