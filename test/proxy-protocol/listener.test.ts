import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import {
  type Conn,
  copy,
  dial,
  formatProxyHeader,
  type Listener,
  listen,
  type OpError,
  type ProxyProtocolOptions,
  proxyListener,
  relay,
  type SocketListener,
  serve,
  TCPAddr,
  type TCPConn,
  type UnixConn,
  writeProxyHeader,
} from 'spliceway';
import { limitListener } from 'spliceway/limits';
import { afterEach, describe, expect, test } from 'vitest';
import { bytes, KiB, readAll, readExactly } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { openSockets } from '../support/fds.ts';
import { ForeignConn, foreignPair } from '../support/foreign.ts';
import { socketPath } from '../support/pair.ts';
import { eventually, isPending, turns } from '../support/time.ts';
import { recorded } from './vectors.ts';

const client = new TCPAddr('203.0.113.9', 4711);
const service = new TCPAddr('198.51.100.1', 443);
const header = (version: 1 | 2 = 2) => formatProxyHeader({ version, source: client, destination: service });

const open: { close(): unknown }[] = [];
const kept = <T extends { close(): unknown }>(each: T): T => {
  open.push(each);
  return each;
};

afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

type Options = Partial<ProxyProtocolOptions>;

const behind = async (options: Options = {}) =>
  kept(await listen('tcp', '127.0.0.1:0', { proxyProtocol: { trusted: ['127.0.0.1'], ...options } }));

const connect = async (listener: { addr: unknown }) => kept(await dial('tcp', `${listener.addr}`));

/** A connection of the client's, through a balancer that has sent these bytes. */
async function through(first: Uint8Array, options: Options = {}): Promise<{ balancer: TCPConn; conn: TCPConn }> {
  const listener = await behind(options);
  const balancer = await connect(listener);
  await balancer.write(first);
  return { balancer, conn: kept(await listener.accept()) };
}

/** What a listener has counted, less what it has not. */
const counted = ({ rejected }: { rejected: object }) =>
  Object.fromEntries(Object.entries(rejected).filter(([, n]) => n > 0));

describe('a connection with a header', () => {
  test.each([1, 2] as const)("is the client's, and tells of the balancer (version %i)", async (version) => {
    const { balancer, conn } = await through(header(version));
    expect(conn.remoteAddr).toEqual(client);
    expect(conn.localAddr).toEqual(service);
    expect(conn.peerAddr).toEqual(balancer.localAddr);
    expect(conn.proxyHeader).toMatchObject({ version, command: 'PROXY', source: client, destination: service });
    expect(conn.state).toBe('new');
    expect(inspect(conn)).toBe('TCPConn { 198.51.100.1:443 -> 203.0.113.9:4711, new }');
    conn.close();
    expect(`${conn.remoteAddr} ${conn.peerAddr}`).toBe(`${client} ${balancer.localAddr}`);
    expect((await caught(conn.read())).message).toBe(
      'read tcp 198.51.100.1:443->203.0.113.9:4711: use of closed network connection',
    );
  });

  test('over a Unix socket', async () => {
    const listener = kept(await listen('unix', socketPath(), { proxyProtocol: { trusted: ['unix'] } }));
    const balancer = kept(await dial('unix', `${listener.addr}`));
    await balancer.write(Buffer.concat([header(), Buffer.from('hello')]));
    const conn: UnixConn = kept(await listener.accept());
    expect(conn.remoteAddr).toEqual(client);
    expect(conn.peerAddr.network).toBe('unix');
    expect(conn.peerCredentials().pid).toBe(process.pid);
    expect(String(await conn.read())).toBe('hello');
  });

  test.each([
    ['LOCAL', recorded.local],
    ['UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n')],
    ['UNSPEC', formatProxyHeader({})],
  ])('that tells of nobody keeps its own addresses (%s)', async (_, first) => {
    const { balancer, conn } = await through(first);
    expect(conn.remoteAddr).toEqual(balancer.localAddr);
    expect(conn.localAddr).toEqual(balancer.remoteAddr);
    expect(conn.peerAddr).toBe(conn.remoteAddr);
    expect(conn.proxyHeader).toMatchObject({ source: null, length: first.length });
  });

  test('a longer one is read to its end', async () => {
    const tlvs = Array.from({ length: 10 }, (_, i) => ({ type: 0xe0, value: bytes(6000, i + 1) }));
    const first = formatProxyHeader({ source: client, destination: service, tlvs });
    const { balancer, conn } = await through(Buffer.concat([first, Buffer.from('rest')]), { maxHeader: 65551 });
    expect(conn.proxyHeader?.tlvs).toEqual(tlvs);
    await balancer.write('!');
    expect(String(await readExactly(conn, 5))).toBe('rest!');
  });
});

test('a connection without one is its own peer', async () => {
  const listener = kept(await listen('tcp', '127.0.0.1:0'));
  const near = await connect(listener);
  const conn = kept(await listener.accept());
  expect(conn.peerAddr).toBe(conn.remoteAddr);
  expect(conn.proxyHeader).toBeNull();
  expect(near.peerAddr).toBe(near.remoteAddr);
});

describe('what follows the header', () => {
  const sent = bytes(200 * KiB);
  const whole = Buffer.concat([header(), sent]);

  const readers: [string, (conn: TCPConn) => Promise<Buffer>][] = [
    ['read()', readAll],
    ['read(p)', (conn) => readExactly(conn, sent.length)],
    [
      'peek()',
      async (conn) => {
        const seen = await conn.peek(100);
        expect(seen).toEqual(sent.subarray(0, seen?.length));
        return readAll(conn);
      },
    ],
    [
      'handle()',
      (conn) =>
        new Promise((resolve) => {
          const chunks: Buffer[] = [];
          conn.handle({
            data: (chunk) => void chunks.push(Buffer.from(chunk)),
            end: () => resolve(Buffer.concat(chunks)),
          });
        }),
    ],
    [
      'copy()',
      async (conn) => {
        const listener = kept(await listen('tcp', '127.0.0.1:0'));
        const sink = await connect(listener);
        const far = kept(await listener.accept());
        void copy(sink, conn).then(() => sink.closeWrite());
        return readAll(far);
      },
    ],
    [
      'relay()',
      async (conn) => {
        const listener = kept(await listen('tcp', '127.0.0.1:0'));
        void relay(conn, await connect(listener));
        const far = kept(await listener.accept());
        return readAll(far);
      },
    ],
  ];

  test.each(readers)('%s gets all of it and nothing else', async (_, read) => {
    const listener = await behind();
    const balancer = await connect(listener);
    void balancer.write(whole).then(() => balancer.closeWrite());
    expect((await read(kept(await listener.accept()))).equals(sent)).toBe(true);
  });

  test.each([1, 2] as const)('wherever version %i is cut, it is whole', async (version) => {
    const listener = await behind();
    const first = Buffer.concat([header(version), Buffer.from('hello')]);
    for (let cut = 1; cut < first.length; cut++) {
      const balancer = await connect(listener);
      await balancer.write(first.subarray(0, cut));
      const accepting = listener.accept();
      await turns();
      await balancer.write(first.subarray(cut));
      const conn = await accepting;
      expect(conn.remoteAddr).toEqual(client);
      expect(String(await readExactly(conn, 5))).toBe('hello');
      conn.close();
      balancer.close();
    }
    expect(counted(listener)).toEqual({});
  });

  test('one byte at a time', async () => {
    const listener = await behind();
    for (const first of [header(1), recorded.tls]) {
      const balancer = await connect(listener);
      const accepting = listener.accept();
      for (const byte of first) {
        await balancer.write(Buffer.from([byte]));
        await turns();
      }
      await balancer.write('hello');
      expect(String(await kept(await accepting).read())).toBe('hello');
    }
  });

  test('stays in the kernel: the descriptor has all of it', async () => {
    const { conn } = await through(Buffer.concat([header(), Buffer.from('hello')]));
    expect(conn.takeUnread()).toHaveLength(0);
    expect(conn.info().unread).toBe(5);
  });
});

describe('a trusted peer that sends no good header is closed and counted', () => {
  const long = Buffer.concat([recorded.ipv4.subarray(0, 14), Buffer.from([0xff, 0xff])]);
  const bad: [string, Buffer | string, string, Options?][] = [
    ['malformed text', 'PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n', 'malformed'],
    ['a wrong checksum', Buffer.concat([recorded.ipv4.subarray(0, 50), Buffer.from('X')]), 'malformed'],
    ['another version', recorded.text, 'malformed', { accept: 'v2' }],
    ['an endless line', 'PROXY UNKNOWN '.padEnd(200, 'x'), 'oversized'],
    ['a length that is too much', long, 'oversized'],
    ['a length above the limit', recorded.tls, 'oversized', { maxHeader: 140 }],
    ['something else', 'GET / HTTP/1.1\r\n\r\n', 'missing'],
    ['something else, without more', 'P!', 'missing'],
    ['half a header, and no more in time', recorded.tls.subarray(0, 100), 'timeout', { timeout: 50 }],
    ['nothing in time', '', 'timeout', { timeout: 50 }],
  ];

  test.each(bad)('%s', async (_, first, problem, options) => {
    const before = openSockets();
    const listener = await behind(options);
    const accepting = listener.accept();
    const balancer = await connect(listener);
    await balancer.write(first);
    expect(await balancer.read().catch((error: OpError) => error.code)).toBeOneOf([null, 'ECONNRESET']);
    expect(counted(listener)).toEqual({ [problem]: 1 });
    expect(await isPending(accepting)).toBe(true);
    expect(listener.pending).toBe(0);
    balancer.close();
    listener.close();
    expect(openSockets()).toBe(before);
  });

  test.each([
    ['at once', ''],
    ['inside its header', 'PROXY TCP4'],
  ])('an end %s', async (_, first) => {
    const listener = await behind();
    const accepting = listener.accept();
    const balancer = await connect(listener);
    await balancer.write(first);
    balancer.closeWrite();
    expect(await balancer.read()).toBeNull();
    expect(counted(listener)).toEqual({ ended: 1 });
    expect(await isPending(accepting)).toBe(true);
  });

  test('a reset inside its header', async () => {
    const listener = await behind();
    void listener.accept();
    const balancer = await connect(listener);
    await balancer.write('PROXY TCP4');
    await eventually(() => listener.pending === 1);
    balancer.setLinger(0);
    balancer.close();
    await eventually(() => listener.rejected.ended === 1);
  });

  test('a line that trickles has the same time as one that does not come', async () => {
    const listener = await behind({ timeout: 100 });
    void listener.accept();
    const balancer = await connect(listener);
    const began = Date.now();
    while (listener.rejected.timeout === 0) {
      await balancer.write(Date.now() === began ? 'PROXY UNKNOWN ' : 'x').catch(() => {});
      await sleep(20);
    }
    expect(Date.now() - began).toBeGreaterThanOrEqual(99);
  });
});

describe('without required', () => {
  const optional = (first: Uint8Array | string, options: Options = {}) =>
    through(Buffer.from(first as string), { required: false, ...options });

  test('a trusted peer may send a header', async () => {
    const { conn } = await optional(header(1));
    expect(conn.remoteAddr).toEqual(client);
  });

  test.each(['GET / HTTP/1.1\r\n', 'P', 'PRO', '\r\n\r\nhello'])('%j passes, whole', async (text) => {
    const { balancer, conn } = await optional(`${text}#`);
    expect(conn.proxyHeader).toBeNull();
    expect(conn.remoteAddr).toEqual(balancer.localAddr);
    expect(conn.state).toBe('new');
    expect(String(await readExactly(conn, text.length + 1))).toBe(`${text}#`);
  });

  test('so does what begins as a header and goes on otherwise', async () => {
    const listener = await behind({ required: false });
    const balancer = await connect(listener);
    const accepting = listener.accept();
    for (const byte of 'PROX!') {
      await balancer.write(byte);
      await turns();
    }
    expect(String(await readExactly(kept(await accepting), 5))).toBe('PROX!');
  });

  test('and an end, after nothing or after so little', async () => {
    for (const text of ['', 'PROX']) {
      const listener = await behind({ required: false });
      const balancer = await connect(listener);
      await balancer.write(text);
      balancer.closeWrite();
      expect(String(await readAll(kept(await listener.accept())))).toBe(text);
    }
  });

  test('and silence, once the time is up', async () => {
    const listener = await behind({ required: false, timeout: 50 });
    const balancer = await connect(listener);
    const began = Date.now();
    const conn = kept(await listener.accept());
    expect(Date.now() - began).toBeGreaterThanOrEqual(49);
    await balancer.write('late');
    expect(String(await conn.read())).toBe('late');
    expect(counted(listener)).toEqual({});
  });

  test.each([
    ['PROXY TCP4 nonsense\r\n', 'malformed', {}],
    ['PROXY TCP4 ', 'timeout', { timeout: 50 }],
    ['PROX', 'timeout', { timeout: 50 }],
    [recorded.text, 'malformed', { accept: 'v2' }],
  ] as const)('a bad header is closed all the same: %j', async (first, problem, options) => {
    const listener = await behind({ required: false, ...options });
    void listener.accept();
    const balancer = await connect(listener);
    await balancer.write(first);
    expect(await balancer.read().catch(() => null)).toBeNull();
    expect(counted(listener)).toEqual({ [problem]: 1 });
  });
});

describe('many at once', () => {
  test('those that are slow keep nobody waiting', async () => {
    const listener = await behind({ timeout: 60_000 });
    const slow = await Promise.all(Array.from({ length: 100 }, () => connect(listener)));
    for (const [i, balancer] of slow.entries()) await balancer.write(header().subarray(0, i % 28));
    const quick = await connect(listener);
    await quick.write(header());
    const conn = kept(await listener.accept());
    expect(conn.peerAddr).toEqual(quick.localAddr);
    // The others are read on while nobody waits.
    for (const [i, balancer] of slow.entries()) await balancer.write(header().subarray(i % 28));
    const peers = new Set<string>();
    for (const _ of slow) peers.add(`${kept(await listener.accept()).peerAddr}`);
    expect(peers).toEqual(new Set(slow.map(({ localAddr }) => `${localAddr}`)));
  });

  test('maxPending bounds them: the next waits in the queue until one is done', async () => {
    const listener = await behind({ maxPending: 2, timeout: 300 });
    const accepting = listener.accept();
    const [first] = [await connect(listener), await connect(listener)];
    await eventually(() => listener.pending === 2);
    const third = await connect(listener);
    await third.write(header());
    expect(await isPending(accepting)).toBe(true);
    expect(listener.pending).toBe(2);
    const began = Date.now();
    first.close();
    expect(kept(await accepting).peerAddr).toEqual(third.localAddr);
    expect(Date.now() - began).toBeLessThan(300);
  });

  test('a connection is taken from the queue only for somebody who waits', async () => {
    const listener = await behind();
    const balancers = [await connect(listener), await connect(listener)];
    for (const balancer of balancers) await balancer.write(header());
    await turns();
    expect(listener.pending).toBe(0);
    kept(await listener.accept());
    await turns();
    const third = await connect(listener);
    await third.write(header());
    await turns();
    const pending = listener.pending;
    await turns();
    expect(listener.pending).toBe(pending);
    expect(pending).toBeLessThanOrEqual(1);
  });

  test('hundreds of good and bad ones leave no descriptor behind', async () => {
    const before = openSockets();
    const listener = await behind({ timeout: 100 });
    const kinds = [header(1), header(2), Buffer.from('PROXY X\r\n'), Buffer.from('GET /'), header(1).subarray(0, 9)];
    const server = serve(listener, async (conn) => {
      for await (const chunk of conn) await conn.write(chunk);
    });
    const outcomes = Array.from({ length: 300 }, async (_, i) => {
      const balancer = await dial('tcp', `${listener.addr}`);
      await balancer.write(Buffer.concat([kinds[i % 5] as Buffer, Buffer.from('x')]));
      const answer = await balancer.read().catch(() => null);
      balancer.close();
      return answer === null ? 'closed' : String(answer);
    });
    const answers = await Promise.all(outcomes);
    expect(answers.filter((answer) => answer === 'x')).toHaveLength(120);
    expect(counted(listener)).toEqual({ malformed: 60, missing: 60, timeout: 60 });
    await server.shutdown();
    expect(openSockets()).toBe(before);
  });
});

describe('closing', () => {
  test('ends what was not handed out, uncounted', async () => {
    const before = openSockets();
    const listener = await behind();
    const balancers = await Promise.all(Array.from({ length: 3 }, () => connect(listener)));
    await (balancers[0] as TCPConn).write(header());
    const accepted = [kept(await listener.accept())];
    const accepting = listener.accept();
    await eventually(() => listener.pending === 2);
    expect([listener.close(), listener.close()]).toEqual([true, false]);
    expect((await caught(accepting)).code).toBe('ERR_SPLICEWAY_CLOSED');
    for (const balancer of balancers.slice(1)) expect(await balancer.read().catch(() => null)).toBeNull();
    await turns();
    expect(counted(listener)).toEqual({});
    expect(listener.pending).toBe(0);
    for (const conn of [...accepted, ...balancers]) conn.close();
    expect(openSockets()).toBe(before);
  });

  test('the listener that is wrapped ends it as well', async () => {
    const listener = await behind();
    const accepting = listener.accept();
    listener.inner.close();
    expect((await caught(accepting)).code).toBe('ERR_SPLICEWAY_CLOSED');
    expect((await caught(listener.accept())).code).toBe('ERR_SPLICEWAY_CLOSED');
  });

  test('Server.shutdown() takes what queues, and waits for headers that are on their way', async () => {
    const listener = await behind();
    const seen: string[] = [];
    const server = serve(listener, async (conn) => {
      seen.push(`${conn.remoteAddr}`);
      for await (const chunk of conn) await conn.write(chunk);
    });
    const [early, late] = [await connect(listener), await connect(listener)];
    await eventually(() => listener.pending === 2);
    await late.write(header().subarray(0, 20));
    const queued = await connect(listener);
    await queued.write(Buffer.concat([header(), Buffer.from('q')]));
    const ending = server.shutdown();
    expect((await caught(dial('tcp', `${listener.addr}`))).code).toBe('ECONNREFUSED');
    await late.write(Buffer.concat([header().subarray(20), Buffer.from('l')]));
    await early.write(Buffer.concat([header(), Buffer.from('e')]));
    for (const [balancer, answer] of [
      [early, 'e'],
      [late, 'l'],
      [queued, 'q'],
    ] as const) {
      expect(String(await balancer.read())).toBe(answer);
      balancer.close();
    }
    expect(await ending).toEqual({ finished: 3, forced: 0 });
    expect(seen).toEqual(Array(3).fill(`${client}`));
  });

  test('… and no longer than its timeout', async () => {
    const before = openSockets();
    const listener = await behind();
    const server = serve(listener, () => {});
    const balancer = await connect(listener);
    await eventually(() => listener.pending === 1);
    const began = Date.now();
    expect(await server.shutdown({ timeout: 50 })).toEqual({ finished: 0, forced: 0 });
    expect(Date.now() - began).toBeLessThan(4000);
    expect(await balancer.read().catch(() => null)).toBeNull();
    balancer.close();
    expect(openSockets()).toBe(before);
  });

  test('Server.close() waits for nobody', async () => {
    const listener = await behind();
    const server = serve(listener, () => {});
    const balancer = await connect(listener);
    await eventually(() => listener.pending === 1);
    server.close();
    expect(await balancer.read().catch(() => null)).toBeNull();
  });
});

describe('beside other wrappers', () => {
  test('a limit around it counts what was handed out', async () => {
    const listener = limitListener(await behind(), 1);
    const [first, second] = [await connect(listener), await connect(listener)];
    await first.write(header());
    await second.write(header());
    const conn = kept(await listener.accept());
    const next = listener.accept();
    expect(await isPending(next)).toBe(true);
    conn.close();
    expect(kept(await next).remoteAddr).toEqual(client);
  });

  test('a limit below it counts those whose header is read', async () => {
    const inner = kept(await listen('tcp', '127.0.0.1:0'));
    const listener = proxyListener(limitListener(inner, 1), { trusted: ['127.0.0.1'], timeout: 100 });
    const [slow, quick] = [await connect(listener), await connect(listener)];
    await quick.write(header());
    const conn = kept(await listener.accept());
    expect(conn.peerAddr).toEqual(quick.localAddr);
    expect(counted(listener)).toEqual({ timeout: 1 });
    expect(await slow.read().catch(() => null)).toBeNull();
  });

  test('the process lives for it, unless unref() was called', async () => {
    const program = (unref: string) => `
      import { dial, listen } from 'spliceway';
      const listener = await listen('tcp', '127.0.0.1:0', { proxyProtocol: { trusted: ['127.0.0.1'], timeout: 60_000 } });
      const clients = [await dial('tcp', String(listener.addr)), await dial('tcp', String(listener.addr))];
      listener${unref}.accept();
      setTimeout(() => { console.log('alive', listener.pending); process.exit(); }, 200).unref();
    `;
    expect((await runScript(program(''))).stdout).toBe('alive 2\n');
    expect((await runScript(program('.unref()'))).stdout).toBe('');
  });

  test('writeProxyHeader() passes the client on, through any number of hops', async () => {
    const last = await behind();
    const middle = await behind();
    const hop = serve(middle, async (conn) => {
      const upstream = await dial('tcp', `${last.addr}`);
      await writeProxyHeader(upstream, conn, { version: 1 });
      return relay(conn, upstream);
    });
    const balancer = await connect(middle);
    await balancer.write(Buffer.concat([header(), Buffer.from('hello')]));
    const conn = kept(await last.accept());
    expect(`${conn.remoteAddr} ${conn.localAddr}`).toBe(`${client} ${service}`);
    expect(conn.proxyHeader?.version).toBe(1);
    expect(String(await conn.read())).toBe('hello');
    hop.close();
  });
});

describe('connections of another make', () => {
  class Balanced extends ForeignConn {
    override readonly remoteAddr = new TCPAddr('127.0.0.1', 5);
    override readonly localAddr = new TCPAddr('127.0.0.1', 6);
  }

  /** A listener with one connection in its queue. */
  async function oneOf(conn: Conn): Promise<Listener> {
    const inner = kept(await listen('tcp', '127.0.0.1:0'));
    let left: Conn | null = conn;
    const accept = (options?: object) => {
      const next = left;
      left = null;
      return next === null ? inner.accept(options) : Promise.resolve(next);
    };
    return new Proxy(inner as unknown as SocketListener, {
      get: (target, name) => {
        const value = name === 'accept' ? accept : Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    }) as unknown as Listener;
  }

  test.each([1, 2] as const)("are the client's, and lose no byte (version %i)", async (version) => {
    const pair = foreignPair(Balanced);
    const listener = kept(proxyListener(await oneOf(pair.server), { trusted: ['127.0.0.0/8'] }));
    await pair.client.write(Buffer.concat([header(version), Buffer.from('hello')]));
    const conn = await listener.accept();
    expect(conn).toBe(pair.server);
    expect(`${conn.remoteAddr} ${conn.localAddr} ${conn.peerAddr}`).toBe(`${client} ${service} 127.0.0.1:5`);
    expect(conn.proxyHeader?.version).toBe(version);
    expect(String(await conn.read())).toBe('hello');
  });

  test('without a header they are closed and counted, for want of a way back even where none is required', async () => {
    for (const required of [true, false]) {
      const pair = foreignPair(Balanced);
      const listener = kept(proxyListener(await oneOf(pair.server), { trusted: ['127.0.0.0/8'], required }));
      void listener.accept();
      await pair.client.write('GET / HTTP/1.1\r\n');
      await eventually(() => pair.server.state === 'closed');
      expect(counted(listener)).toEqual({ missing: 1 });
    }
  });
});

describe('trusted', () => {
  const trusts = async (trusted: string[], address = '127.0.0.1') => {
    const bracketed = address.includes(':') ? `[${address}]` : address;
    const listener = kept(await listen('tcp', `${bracketed}:0`, { proxyProtocol: { trusted, untrusted: 'close' } }));
    const accepting = listener.accept();
    const balancer = await connect(listener);
    await balancer.write(header()).catch(() => {});
    return Promise.race([
      accepting.then(() => true),
      eventually(() => listener.rejected.untrusted > 0).then(() => false),
    ]);
  };

  test.each([
    [['127.0.0.1'], true],
    [['127.0.0.1/32'], true],
    [['127.0.0.0/31'], true],
    [['127.0.0.2/31'], false],
    [['126.0.0.0/7'], true],
    [['124.0.0.0/7'], false],
    [['0.0.0.0/0'], true],
    [['::/0'], false],
    [['10.0.0.0/8', '127.0.0.1'], true],
    [['10.0.0.0/8', '192.168.0.0/16', 'unix'], false],
    [['::ffff:127.0.0.1'], true],
    [['::ffff:127.0.0.0/104'], true],
    [[], false],
  ] as const)('%j: %j', async (trusted, expected) => {
    expect(await trusts([...trusted])).toBe(expected);
  });

  test.each([
    [['::1'], true],
    [['::/127'], true],
    [['::2/127'], false],
    [['0.0.0.0/0'], false],
    [['2001:db8::/32'], false],
    [['::/0'], true],
  ] as const)('over IPv6 %j: %j', async (trusted, expected) => {
    expect(await trusts([...trusted], '::1')).toBe(expected);
  });

  test('a wildcard listener knows IPv4 peers by their IPv4 address', async () => {
    const listener = kept(await listen('tcp', ':0', { proxyProtocol: { trusted: ['127.0.0.1'] } }));
    const balancer = kept(await dial('tcp', `127.0.0.1:${(listener.addr as TCPAddr).port}`));
    await balancer.write(header());
    expect(kept(await listener.accept()).remoteAddr).toEqual(client);
  });

  test('Unix peers are trusted by that word alone', async () => {
    const options = { trusted: ['0.0.0.0/0', '::/0'], untrusted: 'close' } as const;
    const listener = kept(await listen('unix', socketPath(), { proxyProtocol: options }));
    void listener.accept();
    kept(await dial('unix', `${listener.addr}`));
    await eventually(() => listener.rejected.untrusted === 1);
  });
});

describe('arguments that cannot be', () => {
  const cases: [object | null, string][] = [
    [null, 'ERR_INVALID_ARG_TYPE'],
    [{}, 'ERR_INVALID_ARG_TYPE'],
    [{ trusted: '127.0.0.1' }, 'ERR_INVALID_ARG_TYPE'],
    [{ trusted: [1] }, 'ERR_INVALID_ARG_TYPE'],
    ...[
      '',
      'localhost',
      '127.0.0.1:80',
      '127.0.0.1/33',
      '127.0.0.1/',
      '::/129',
      'fe80::1%lo',
      '1.2.3',
      '::ffff:1.2.3.4/95',
    ].map((each): [object, string] => [{ trusted: [each] }, 'ERR_INVALID_ARG_VALUE']),
    [{ trusted: [], accept: 'v3' }, 'ERR_INVALID_ARG_VALUE'],
    [{ trusted: [], untrusted: 'reject' }, 'ERR_INVALID_ARG_VALUE'],
    [{ trusted: [], required: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ trusted: [], timeout: '1s' }, 'ERR_INVALID_ARG_TYPE'],
    ...[0, -1, 1.5, 2 ** 31].map((timeout): [object, string] => [{ trusted: [], timeout }, 'ERR_OUT_OF_RANGE']),
    ...[0, 0.5].map((maxPending): [object, string] => [{ trusted: [], maxPending }, 'ERR_OUT_OF_RANGE']),
    ...[106, 65552].map((maxHeader): [object, string] => [{ trusted: [], maxHeader }, 'ERR_OUT_OF_RANGE']),
  ];

  test.each(cases)('%j: %s', async (options, code) => {
    const before = openSockets();
    const proxyProtocol = options as ProxyProtocolOptions;
    expect((await caught(listen('tcp', '127.0.0.1:0', { proxyProtocol }))).code).toBe(code);
    expect(openSockets()).toBe(before);
    const inner = kept(await listen('tcp', '127.0.0.1:0'));
    expect(() => proxyListener(inner, proxyProtocol)).toThrow(expect.objectContaining({ code }));
  });

  test('a listener that is none, and one of packets', async () => {
    const wrap = proxyListener as (...args: unknown[]) => unknown;
    for (const listener of [null, 'tcp', {}]) {
      expect(() => wrap(listener, { trusted: [] })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
    }
    const packets = kept(await listen('unixpacket', socketPath()));
    const code = 'ERR_INVALID_ARG_VALUE';
    expect(() => wrap(packets, { trusted: [] })).toThrow(expect.objectContaining({ code }));
    const options = { proxyProtocol: { trusted: ['unix'] } };
    expect((await caught(listen('unixpacket', socketPath(), options))).code).toBe(code);
  });
});
