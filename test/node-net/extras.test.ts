// What spliceway/net has besides node:net's: deadlines, info(), block lists and handles of other kinds.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync, rmSync } from 'node:fs';
import * as node from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as net from 'spliceway/net';
import { afterEach, describe, expect, test } from 'vitest';
import { foreignEnv } from '../support/child.ts';

const open: { destroy?(): unknown; close?(): unknown }[] = [];

afterEach(() => {
  for (const each of open.splice(0)) (each.destroy ?? each.close)?.call(each);
});

const kept = <T extends (typeof open)[number]>(each: T): T => {
  open.push(each);
  return each;
};

/** A connection: both ends, and the server. */
async function pair(options: net.ServerOptions = {}) {
  const server = kept(net.createServer(options).listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const client = kept(net.connect(port, '127.0.0.1'));
  const [[peer]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
  return { server, client, peer: kept(peer as net.Socket), port };
}

describe('setReadDeadline()', () => {
  test('ends a socket that reads past it with an error', async () => {
    const { client } = await pair();
    const before = Date.now();
    client.setReadDeadline(before + 40);
    client.resume();
    const [error] = await once(client, 'error');
    expect(Date.now()).toBeGreaterThanOrEqual(before + 40);
    expect(error).toMatchObject({ code: 'ERR_SPLICEWAY_DEADLINE_EXCEEDED', timeout: true, op: 'read' });
    expect(error.message).toMatch(/^read tcp 127\.0\.0\.1:\d+->127\.0\.0\.1:\d+: i\/o timeout$/);
    await once(client, 'close');
  });

  test('delivers what arrived before', async () => {
    const { client, peer } = await pair();
    const told: string[] = [];
    client
      .on('data', (chunk) => told.push(`${chunk}`))
      .on('error', (error) => told.push((error as { code: string } & Error).code));
    client.setReadDeadline(new Date(Date.now() + 100));
    peer.write('in time');
    await new Promise((resolve) => client.once('close', resolve));
    expect(told).toEqual(['in time', 'ERR_SPLICEWAY_DEADLINE_EXCEEDED']);
  });

  test('holds for a connection that is yet to be made', async () => {
    const { port } = await pair();
    const socket = kept(new net.Socket().setReadDeadline(Date.now() - 1));
    socket.connect(port, '127.0.0.1');
    const [error] = await once(socket, 'error');
    expect(error.code).toBe('ERR_SPLICEWAY_DEADLINE_EXCEEDED');
  });

  test('can be taken back', async () => {
    const { client, peer } = await pair();
    client.setReadDeadline(Date.now() + 30).setReadDeadline(null);
    setTimeout(() => peer.write('late'), 80);
    const [chunk] = await once(client, 'data');
    expect(`${chunk}`).toBe('late');
  });

  test('refuses what is no instant', async () => {
    const { client } = await pair();
    expect(() => client.setReadDeadline('x' as unknown as number)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
  });
});

describe('setWriteDeadline()', () => {
  test('ends a write that the peer does not take', async () => {
    const { client, peer } = await pair();
    peer.pause();
    client.setWriteDeadline(Date.now() + 50);
    const told = new Promise<Error | null | undefined>((resolve) => client.write(Buffer.alloc(64 << 20), resolve));
    const [error] = await once(client, 'error');
    expect(error).toMatchObject({ code: 'ERR_SPLICEWAY_DEADLINE_EXCEEDED', op: 'write' });
    expect(await told).toBe(error);
  });
});

test('info() is what the kernel knows of a TCP connection, and null without one', async () => {
  const { client } = await pair();
  expect(client.info()).toMatchObject({ state: 'established', unread: 0 });
  client.destroy();
  expect(client.info()).toBeNull();
  expect(new net.Socket().info()).toBeNull();
});

test('no handle of Node stands behind a server or a socket', async () => {
  await pair();
  const handles = process.getActiveResourcesInfo().filter((name) => /TCP|Connect|Shutdown/.test(name));
  expect(handles).toEqual([]);
});

describe('a block list', () => {
  const blocked = new net.BlockList();
  blocked.addAddress('127.0.0.1');

  test('of a server drops peers', async () => {
    const server = kept(net.createServer({ blockList: blocked }).listen(0, '127.0.0.1'));
    await once(server, 'listening');
    const client = kept(net.connect((server.address() as net.AddressInfo).port, '127.0.0.1'));
    const [[dropped]] = await Promise.all([once(server, 'drop'), once(client.resume(), 'close')]);
    expect(dropped).toMatchObject({ remoteAddress: '127.0.0.1', localFamily: 'IPv4' });
  });

  test('of a connect refuses addresses, numeric or looked up', async () => {
    for (const host of ['127.0.0.1', 'localhost']) {
      const socket = net.connect({ port: 1, host, family: 4, blockList: blocked } as node.TcpNetConnectOpts);
      const [error] = await once(socket, 'error');
      expect(error).toMatchObject({ code: 'ERR_IP_BLOCKED', message: 'IP(127.0.0.1) is blocked by net.BlockList' });
    }
  });
});

test('servers share a port with reusePort', async () => {
  const first = kept(net.createServer().listen({ port: 0, host: '127.0.0.1', reusePort: true }));
  await once(first, 'listening');
  const { port } = first.address() as net.AddressInfo;
  const second = kept(net.createServer().listen({ port, host: '127.0.0.1', reusePort: true }));
  await once(second, 'listening');
  expect(second.address()).toEqual(first.address());
});

describe('a connection of another make', () => {
  test("is taken over from libuv's handle", async () => {
    const { server, port } = await pair();
    const theirs = node.connect(port, '127.0.0.1');
    const [[peer]] = await Promise.all([once(server, 'connection'), once(theirs, 'connect')]);
    const ours = kept(new net.Socket({ handle: (theirs as unknown as { _handle: object })._handle }));
    (peer as net.Socket).write('hello');
    const [chunk] = await once(ours, 'data');
    expect(`${chunk} ${ours.remotePort}`).toBe(`hello ${port}`);
    ours.end('bye');
    const [answer] = await once(peer as net.Socket, 'data');
    expect(`${answer}`).toBe('bye');
    (peer as net.Socket).destroy();
  });

  test('may be one end of a pipe', async () => {
    const path = join(tmpdir(), `spliceway-fifo-${process.pid}`);
    execFileSync('mkfifo', [path], { env: foreignEnv() });
    try {
      const writer = kept(new net.Socket({ fd: openSync(path, 'r+'), readable: false }));
      const reader = kept(new net.Socket({ fd: openSync(path, 'r'), writable: false }));
      writer.cork();
      writer.write('one ');
      writer.write('two');
      writer.uncork();
      const [chunk] = await once(reader, 'data');
      expect(`${chunk}`).toBe('one two');
    } finally {
      rmSync(path);
    }
  });

  test('whose handle is an object of the caller gets asked what libuv would be', () => {
    const asked: unknown[] = [];
    const handle = { readStart: () => asked.push('readStart'), setNoDelay: (on: boolean) => asked.push(on) };
    new net.Socket({ handle }).setNoDelay().setNoDelay(true).setNoDelay(false);
    expect(asked).toEqual(['readStart', true, false]);
  });
});

test('sockets inherit the options of their server, and say so', async () => {
  const { peer } = await pair({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 5000 });
  const { fd } = (peer as unknown as { _handle: { fd: number } })._handle;
  expect(fd).toBeGreaterThan(0);
  expect(peer.setNoDelay(false).setKeepAlive(false)).toBe(peer);
});

test("names that programs may give their own properties are all node:net's, but for what is public", () => {
  const added = (ours: object, theirs: object) =>
    Object.getOwnPropertyNames(ours).filter((name) => !Object.hasOwn(theirs, name) && !(name in theirs));
  const sockets = added(net.Socket.prototype, node.Socket.prototype);
  expect(sockets.sort()).toEqual(['fd', 'info', 'setReadDeadline', 'setWriteDeadline']);
  expect(added(net.Server.prototype, node.Server.prototype)).toEqual([]);
});

test('methods are enumerable where those of node:net are', () => {
  const shown = (prototype: object, of: object) => Object.keys(prototype).filter((name) => Object.hasOwn(of, name));
  for (const [ours, theirs] of [
    [net.Socket.prototype, node.Socket.prototype],
    [net.Server.prototype, node.Server.prototype],
  ] as [object, object][]) {
    expect(shown(ours, theirs).sort()).toEqual(shown(theirs, ours).sort());
  }
});

describe('process._getActiveHandles()', () => {
  const active = () => (process as unknown as { _getActiveHandles(): object[] })._getActiveHandles();
  const whichOf = (list: Record<string, object>) =>
    Object.keys(list).filter((name) => active().includes(list[name] as object));

  test('lists sockets and servers that the process lives for, and those of Node', async () => {
    const { server, client, peer } = await pair();
    const nodes = kept(node.createServer().listen(0, '127.0.0.1'));
    await once(nodes, 'listening');
    const all = { server, client, peer, nodes };
    expect(whichOf(all)).toEqual(['server', 'client', 'peer', 'nodes']);
    server.unref();
    client.unref();
    expect(whichOf(all)).toEqual(['peer', 'nodes']);
    server.ref();
    peer.destroy();
    expect(whichOf(all)).toEqual(['server', 'nodes']);
    server.close();
    expect(whichOf(all)).toEqual(['nodes']);
  });
});
