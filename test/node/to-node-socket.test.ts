import { once } from 'node:events';
import { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { type OpError, pipe, relay, serve } from 'spliceway';
import { limitListener } from 'spliceway/limits';
import { toNodeSocket } from 'spliceway/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytes, MiB, readAll, sha256 } from '../support/bytes.ts';
import { openSockets } from '../support/fds.ts';
import { type Pair, streams, tcpPair, unixPair } from '../support/pair.ts';
import { eventually, isPending } from '../support/time.ts';
import { anyPort, kept, raw } from './support.ts';

const thrown = (call: () => unknown): OpError => {
  try {
    call();
  } catch (error) {
    return error as OpError;
  }
  throw new Error('nothing was thrown');
};

describe.each(streams)('over %s', (_, makePair) => {
  let pair: Awaited<ReturnType<typeof makePair>>;

  beforeEach(async () => {
    pair = await makePair();
  });
  afterEach(() => pair[Symbol.dispose]());

  test('toNodeSocket() gives a net.Socket on the same descriptor', async () => {
    const { client, server } = pair;
    const before = openSockets();
    const socket = kept(toNodeSocket(server));
    expect(socket).toBeInstanceOf(Socket);
    expect(openSockets()).toBe(before);
    expect(server.state).toBe('closed');
    socket.write('hello');
    expect(`${await client.read()}`).toBe('hello');
    await client.write('and back');
    expect(`${(await once(socket, 'data'))[0]}`).toBe('and back');
  });

  test('bytes that were put back come first, then those of the kernel', async () => {
    const { client, server } = pair;
    await client.write('second');
    server.unread(Buffer.from('first '));
    client.closeWrite();
    expect(await text(toNodeSocket(server))).toBe('first second');
  });

  test('reads what was there before it was handed over', async () => {
    const { client, server } = pair;
    await client.write('early');
    await server.peek(5);
    const [chunk] = await once(kept(toNodeSocket(server)), 'data');
    expect(`${chunk}`).toBe('early');
  });

  test('a MiB each way, and ends on its own', async () => {
    const { client, server } = pair;
    const [there, back] = [bytes(MiB, 1), bytes(MiB, 2)];
    const socket = toNodeSocket(server, { allowHalfOpen: true });
    const closed = once(socket, 'close');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk)).on('end', () => socket.end(back));
    await client.write(there);
    client.closeWrite();
    expect(sha256(await readAll(client))).toBe(sha256(back));
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(there));
    await closed;
  });

  test('is refused while a call waits, a handler has it or it is shut down', async () => {
    const { client, server } = pair;
    const read = server.read();
    expect(thrown(() => toNodeSocket(server))).toMatchObject({ op: 'detach', code: 'ERR_SPLICEWAY_BUSY' });
    await client.write('x');
    expect(`${await read}`).toBe('x');
    server.handle({ data() {} });
    expect(thrown(() => toNodeSocket(server)).code).toBe('ERR_SPLICEWAY_BUSY');
    void client.shutdown();
    expect(thrown(() => toNodeSocket(client)).code).toBe('ERR_SPLICEWAY_BUSY');
  });

  test('what is refused has lost nothing', async () => {
    const { client, server } = pair;
    const write = server.write(Buffer.alloc(16 * MiB));
    server.unread(Buffer.from('kept'));
    expect(thrown(() => toNodeSocket(server)).code).toBe('ERR_SPLICEWAY_BUSY');
    expect(`${server.takeUnread()}`).toBe('kept');
    expect(await isPending(write)).toBe(true);
    client.close();
  });

  test('a closed connection, and one that is relayed', async () => {
    const { client, server } = pair;
    using other = await tcpPair();
    const relaying = relay(server, other.client);
    expect(thrown(() => toNodeSocket(server)).code).toBe('ERR_SPLICEWAY_BUSY');
    client.close();
    other.server.close();
    await relaying;
    expect(thrown(() => toNodeSocket(server)).code).toBe('ERR_SPLICEWAY_CLOSED');
  });
});

test('addresses and options are those of a socket', async () => {
  using pair = await tcpPair();
  const { port } = pair.client.localAddr as { port: number };
  const socket = kept(toNodeSocket(pair.server, { highWaterMark: 100, pauseOnCreate: true }));
  expect(socket).toMatchObject({ remoteAddress: '127.0.0.1', remotePort: port, remoteFamily: 'IPv4' });
  expect(socket).toMatchObject({ readableHighWaterMark: 100, writableHighWaterMark: 100, readableFlowing: false });
  await pair.client.write('waits');
  expect(await isPending(once(socket, 'data'))).toBe(true);
});

test('what has no descriptor is a mistake that names toDuplex()', () => {
  const [a] = pipe();
  expect(() => toNodeSocket(a)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  expect(() => toNodeSocket(a)).toThrow(/toDuplex\(\)/);
});

test('a socket of packets, and wrong options', async () => {
  using packets: Pair<never> = (await unixPair('unixpacket')) as never;
  expect(() => toNodeSocket(packets.server)).toThrow(/toDuplex\(\)/);
  using pair = await tcpPair();
  expect(() => toNodeSocket(pair.server, { highWaterMark: -1 })).toThrow(/out of range/);
  expect(() => toNodeSocket(pair.server, { allowHalfOpen: 1 as never })).toThrow(/of type boolean/);
  expect(pair.server.state).toBe('new');
});

test('a limit counts the connection until the socket has closed', async () => {
  const limited = limitListener(await anyPort(), 1);
  const { port } = limited.addr as { port: number };
  await raw(port);
  const socket = kept(toNodeSocket(await limited.accept()));
  await raw(port);
  const second = limited.accept();
  expect(await isPending(second)).toBe(true);
  socket.destroy();
  kept(await second);
});

test('serve() counts it, and its close() destroys the socket', async () => {
  const sockets: Socket[] = [];
  const server = serve(await anyPort(), (conn) => void sockets.push(toNodeSocket(conn)));
  const { port } = (server as unknown as { listener: { addr: { port: number } } }).listener.addr;
  await Promise.all([raw(port), raw(port)]);
  await eventually(() => sockets.length === 2);
  sockets[0]?.destroy();
  await eventually(() => server.connections === 1);
  const ended = server.shutdown({ timeout: 10 });
  expect(await ended).toEqual({ finished: 0, forced: 1 });
  expect(sockets[1]?.destroyed).toBe(true);
});
