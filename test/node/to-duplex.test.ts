import { once } from 'node:events';
import * as http from 'node:http';
import { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import * as tls from 'node:tls';
import { type Conn, pipe } from 'spliceway';
import { type ConnDuplex, toDuplex } from 'spliceway/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytes, MiB, readAll, sha256 } from '../support/bytes.ts';
import { runScript } from '../support/child.ts';
import { foreignPair } from '../support/foreign.ts';
import { type Pair, streams, tcpPair } from '../support/pair.ts';
import { eventually, turns } from '../support/time.ts';
import { credentials, kept } from './support.ts';

const told = (stream: Duplex): string[] => {
  const events: string[] = [];
  for (const name of ['end', 'finish', 'error', 'close', 'timeout', 'drain']) {
    stream.on(name, (value) => events.push(value === undefined ? name : `${name} ${value?.code ?? value}`));
  }
  return events;
};

describe.each(streams)('over %s', (_, makePair) => {
  let pair: Awaited<ReturnType<typeof makePair>>;

  beforeEach(async () => {
    pair = await makePair();
  });
  afterEach(() => pair[Symbol.dispose]());

  test('a MiB each way, and both ends', async () => {
    const [there, back] = [bytes(MiB, 1), bytes(MiB, 2)];
    const stream = toDuplex(pair.server, { allowHalfOpen: true });
    const events = told(stream);
    const chunks: Buffer[] = [];
    stream.on('data', (chunk) => chunks.push(chunk)).on('end', () => stream.end(back));
    void pair.client.write(there).then(() => pair.client.closeWrite());
    expect(sha256(await readAll(pair.client))).toBe(sha256(back));
    if (!stream.closed) await once(stream, 'close');
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(there));
    expect(stream.bytesRead).toBe(MiB);
    expect(stream.bytesWritten).toBe(MiB);
    expect(events.filter((name) => name !== 'drain')).toEqual(['end', 'finish', 'close false']);
    expect(pair.server.state).toBe('closed');
  });

  test('the end of the stream ends writing too, unless allowHalfOpen', async () => {
    const stream = toDuplex(pair.server).resume();
    pair.client.closeWrite();
    await once(stream, 'close');
    expect(await pair.client.read()).toBe(null);
  });

  test('back-pressure is that of the kernel: a peer that does not read holds a writer back', async () => {
    const stream = kept(toDuplex(pair.server));
    let written = 0;
    stream.write(Buffer.alloc(32 * MiB), () => {
      written++;
    });
    expect(stream.write('more')).toBe(false);
    await turns();
    expect(written).toBe(0);
    expect(stream.bufferSize).toBe(32 * MiB + 4);
    let read = 0;
    const drained = once(stream, 'drain');
    while (read < 32 * MiB + 4) read += ((await pair.client.read()) as Buffer).length;
    await drained;
    expect(written).toBe(1);
  });

  test('back-pressure the other way: no more is read than the stream has room for', async () => {
    const stream = kept(toDuplex(pair.server, { highWaterMark: 1000 }));
    stream.read(0);
    void pair.client.write(Buffer.alloc(32 * MiB)).catch(() => {});
    await eventually(() => stream.readableLength > 0);
    await turns();
    expect(stream.readableLength).toBeLessThanOrEqual(64 * 1024);
  });

  test('deadlines of the conn hold: one that passes destroys the stream', async () => {
    const stream = toDuplex(pair.server);
    const events = told(stream);
    pair.server.setReadDeadline(Date.now() + 20);
    stream.resume();
    const [[error]] = await Promise.all([once(stream, 'error'), new Promise((resolve) => stream.on('close', resolve))]);
    expect(error).toMatchObject({ op: 'read', timeout: true });
    expect(events).toEqual(['error ERR_SPLICEWAY_DEADLINE_EXCEEDED', 'close true']);
  });

  test('closing the conn closes the stream, without an error; and the other way round', async () => {
    const stream = toDuplex(pair.server).resume();
    const events = told(stream);
    pair.server.close();
    await once(stream, 'close');
    expect(events).toEqual(['close false']);
    const paused = toDuplex(pair.client);
    paused.destroy();
    await once(paused, 'close');
    expect(pair.client.state).toBe('closed');
  });

  test('destroySoon() sends what waits', async () => {
    const stream = toDuplex(pair.server);
    const sent = bytes(MiB);
    stream.write(sent);
    stream.destroySoon();
    expect(sha256(await readAll(pair.client))).toBe(sha256(sent));
  });
});

describe("net.Socket's surface", () => {
  let pair: Pair<import('spliceway').TCPConn>;
  let stream: ConnDuplex<import('spliceway').TCPConn>;

  beforeEach(async () => {
    pair = await tcpPair();
    stream = toDuplex(pair.server);
  });
  afterEach(() => pair[Symbol.dispose]());

  test('addresses, state and options', async () => {
    const { port } = pair.client.localAddr as { port: number };
    expect(stream).toBeInstanceOf(Duplex);
    expect(stream).toMatchObject({ remoteAddress: '127.0.0.1', remotePort: port, remoteFamily: 'IPv4' });
    expect(stream).toMatchObject({ localAddress: '127.0.0.1', localFamily: 'IPv4', connecting: false, pending: false });
    expect(stream.address()).toEqual({ address: '127.0.0.1', family: 'IPv4', port: stream.localPort });
    expect(stream.readyState).toBe('open');
    expect(stream.conn).toBe(pair.server);
    stream.setNoDelay(false).setKeepAlive(true, 30_000).unref().ref();
    expect(pair.server.getOption('IPPROTO_TCP', 'TCP_NODELAY')).toBe(0);
    expect(pair.server.getOption('IPPROTO_TCP', 'TCP_KEEPIDLE')).toBe(30);
    stream.destroy();
    await once(stream, 'close');
    expect(stream).toMatchObject({ pending: true, readyState: 'closed', remotePort: port });
    stream.setNoDelay().setKeepAlive().setTimeout(1).ref().unref();
  });

  test('setTimeout() tells of quiet, which traffic ends', async () => {
    const quiet = once(stream, 'timeout');
    expect(stream.setTimeout(20).timeout).toBe(20);
    await quiet;
    expect(stream.destroyed).toBe(false);
    let told = 0;
    stream.setTimeout(0).setTimeout(10_000, () => told++);
    stream.setTimeout(0, () => told++);
    expect(stream.timeout).toBe(0);
    expect(() => stream.setTimeout(-1)).toThrow(/out of range/);
  });

  test('resetAndDestroy() resets', async () => {
    stream.resetAndDestroy();
    await expect(pair.client.read()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('setDeadline(), setReadDeadline(), setWriteDeadline()', async () => {
    expect(stream.setDeadline(null).setWriteDeadline(null).setReadDeadline(1)).toBe(stream);
    stream.resume();
    expect((await once(stream, 'error'))[0]).toMatchObject({ timeout: true });
  });

  test("what the peer's reset does is an 'error'", async () => {
    const errors = once(stream, 'error');
    stream.resume();
    pair.client.setLinger(0);
    pair.client.close();
    expect((await errors)[0]).toMatchObject({ code: 'ECONNRESET', op: 'read' });
  });
});

describe('over a conn without a descriptor', () => {
  test.each([
    ['pipe()', pipe],
    ['one of another make', () => Object.values(foreignPair())],
  ])('%s carries http', async (_, makePair) => {
    const [a, b] = makePair() as [Conn, Conn];
    const server = http.createServer((request, response) => request.pipe(response));
    server.emit('connection', toDuplex(b, { allowHalfOpen: true }));
    const request = http.request({ method: 'POST', createConnection: () => toDuplex(a) });
    request.end('over no socket');
    const [response] = await once(request, 'response');
    expect(await text(response)).toBe('over no socket');
  });

  test('addresses are not those of IP', async () => {
    const [a, b] = pipe();
    const stream = kept(toDuplex(a));
    expect(stream.address()).toEqual({});
    expect(stream.remoteAddress).toBe(undefined);
    stream.setNoDelay().setKeepAlive().ref().unref();
    const closed = once(stream.resume(), 'close');
    b.close();
    await closed;
  });
});

test('tls over it, both ways', async () => {
  using pair = await tcpPair();
  const server = new tls.TLSSocket(toDuplex(pair.server), { ...credentials, isServer: true });
  server.on('data', (chunk) => server.end(`echo ${chunk}`));
  const client = tls.connect({ socket: toDuplex(pair.client), rejectUnauthorized: false });
  client.write('secret');
  expect(await text(client)).toBe('echo secret');
});

test('tls over it sends what it has after the peer has ended', async () => {
  using pair = await tcpPair();
  const server = new tls.TLSSocket(toDuplex(pair.server), { ...credentials, isServer: true });
  server.pipe(server);
  const client = tls.connect({ socket: toDuplex(pair.client, { allowHalfOpen: true }), rejectUnauthorized: false });
  client.end('z'.repeat(500_000));
  expect((await text(client)).length).toBe(500_000);
});

test('one that nobody has any more is collected, and its connection closed', async () => {
  const { stdout } = await runScript(
    `
      import { setImmediate } from 'node:timers/promises';
      import { dial, listen } from 'spliceway';
      import { toDuplex } from 'spliceway/node';
      const listener = await listen('tcp', '127.0.0.1:0');
      const client = await dial('tcp', \`\${listener.addr}\`);
      void (async () => toDuplex(await listener.accept()).write('left'))();
      process.on('warning', ({ code }) => console.log(code));
      const all = (async () => { for await (const chunk of client) console.log(\`\${chunk}\`); return true; })();
      while (!(await Promise.race([all, setImmediate(false)]))) gc();
      listener.close();
    `,
    { node: ['--expose-gc'] },
  );
  expect(stdout.trim().split('\n').sort()).toEqual(['SPLICEWAY_CONN_COLLECTED', 'left']);
});

test('mistakes', async () => {
  using pair = await tcpPair();
  expect(() => toDuplex({} as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  expect(() => toDuplex(pair.server, { highWaterMark: 1.5 })).toThrow(/out of range/);
  expect(() => toDuplex(pair.server, { allowHalfOpen: 'no' as never })).toThrow(/of type boolean/);
  const stream = kept(toDuplex(pair.server));
  expect(() => stream.setNoDelay('yes' as never)).toThrow(/of type boolean/);
});
