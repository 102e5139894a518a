import { existsSync, rmSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import {
  AddrError,
  DNSError,
  dial,
  ErrDeadlineExceeded,
  type Lookup,
  listen,
  type OpError,
  TCPAddr,
  TCPConn,
  UnixAddr,
  UnixConn,
} from 'spliceway';
import { describe, expect, test } from 'vitest';
import { type Blackhole, blackhole } from '../support/blackhole.ts';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { openSockets } from '../support/fds.ts';
import { socketPath } from '../support/pair.ts';
import { isPending, turns } from '../support/time.ts';

const onLinux = process.platform === 'linux';
const addresses = Object.entries(networkInterfaces()).flatMap(([name, all]) =>
  (all ?? []).map((each) => ({ name, ...each })),
);
const hasIPv6 = addresses.some(({ address }) => address === '::1');
const linkLocal = addresses.find(({ address }) => address.startsWith('fe80:'));

const portOf = ({ addr }: { addr: unknown }) => (addr as TCPAddr).port;

/** A port on which nobody listens: it was just given back. */
async function closedPort(): Promise<number> {
  const listener = await listen('tcp', '127.0.0.1:0');
  listener.close();
  return portOf(listener);
}

describe('dial()', () => {
  test('resolves to a connection of its network', async () => {
    using tcp = await listen('tcp', '127.0.0.1:0');
    using overTCP = await dial('tcp', `${tcp.addr}`);
    expect(overTCP).toBeInstanceOf(TCPConn);
    expect(overTCP.state).toBe('new');
    using unix = await listen('unix', socketPath());
    using overUnix = await dial('unix', `${unix.addr}`);
    expect(overUnix).toBeInstanceOf(UnixConn);
  });

  test('resolves before anybody accepts', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    using client = await dial('tcp', `${listener.addr}`);
    await client.write('early');
    using server = await listener.accept();
    expect(String(await server.read())).toBe('early');
  });

  test('to a closed port rejects with ECONNREFUSED, and leaves no socket', async () => {
    const port = await closedPort();
    const before = openSockets();
    for (const network of ['tcp', 'tcp4'] as const) {
      expect(await caught(dial(network, `127.0.0.1:${port}`))).toMatchObject({ code: 'ECONNREFUSED', timeout: false });
    }
    expect(openSockets()).toBe(before);
  });

  test.each(['', '0.0.0.0', '127.0.0.1', '127.8.7.6'])(
    'reaches this machine by the host "%s"',
    { skip: !onLinux },
    async (host) => {
      using listener = await listen('tcp4', ':0');
      using client = await dial('tcp', `${host}:${portOf(listener)}`);
      using server = await listener.accept();
      expect(`${server.remoteAddr}`).toBe(`${client.localAddr}`);
      const reached = host.startsWith('127') ? host : '127.0.0.1';
      expect(`${client.remoteAddr}`).toBe(`${reached}:${portOf(listener)}`);
    },
  );

  test.skipIf(!hasIPv6).each(['[::1]', '[::]', '[0:0:0:0:0:0:0:1]'])(
    'reaches this machine over IPv6 by the host "%s"',
    async (host) => {
      using listener = await listen('tcp6', '[::1]:0');
      using client = await dial('tcp', `${host}:${portOf(listener)}`);
      expect(`${client.remoteAddr}`).toBe(`[::1]:${portOf(listener)}`);
      expect(client.remoteAddr).toMatchObject({ ip: '::1', zone: '' });
    },
  );

  test.skipIf(!hasIPv6)('takes an IPv4 address in IPv6 clothes for what it is', async () => {
    using listener = await listen('tcp4', '127.0.0.1:0');
    using client = await dial('tcp', `[::ffff:127.0.0.1]:${portOf(listener)}`);
    expect(`${client.remoteAddr}`).toBe(`${listener.addr}`);
  });

  test.runIf(linkLocal !== undefined)(
    'reaches a link-local address through its zone, by name or by number',
    async () => {
      const { address, name, scopeid } = linkLocal as { address: string; name: string; scopeid: number };
      using listener = await listen('tcp', `[${address}%${name}]:0`);
      for (const zone of [name, scopeid]) {
        using client = await dial('tcp', `[${address}%${zone}]:${portOf(listener)}`);
        using server = await listener.accept();
        expect(`${client.remoteAddr}`).toBe(`[${address}%${name}]:${portOf(listener)}`);
        expect(`${server.remoteAddr}`).toBe(`${client.localAddr}`);
      }
    },
  );

  test.each(['+0', '', '00'])('reads the port "%s" as 0, at which nobody listens', async (port) => {
    expect(await caught(dial('tcp', `127.0.0.1:${port}`))).toMatchObject({ op: 'dial', syscall: 'connect' });
  });

  test.each(['65536', '-1', '123456789'])('refuses the port "%s"', async (port) => {
    const error = await caught(dial('tcp', `127.0.0.1:${port}`));
    expect(error).toMatchObject({ code: 'ERR_SPLICEWAY_ADDRESS', source: null, addr: null });
    expect(error.message).toBe(`dial tcp: address ${port}: invalid port`);
  });

  test.each(['1.5', '0x50', '8 0', ' 80', 'nosuch'])('takes the port "%s" for the name of a service', async (port) => {
    const error = await caught(dial('tcp', `127.0.0.1:${port}`));
    expect(error).toMatchObject({ code: 'ENOTFOUND', source: null, addr: null });
    expect(error.cause).toBeInstanceOf(DNSError);
    expect(error.message).toBe(`dial tcp: lookup tcp/${port}: unknown port`);
  });

  test('rejects for a Unix path that is too long, as an address that does not fit', async () => {
    const error = await caught(dial('unix', `/tmp/${'x'.repeat(200)}`));
    expect(error).toMatchObject({ op: 'dial', net: 'unix', code: 'ERR_SPLICEWAY_ADDRESS' });
    expect(error.cause).toBeInstanceOf(AddrError);
  });

  test('rejects for a Unix path with a NUL byte', async () => {
    const error = await caught(dial('unix', '/tmp/a\0b'));
    expect(error).toMatchObject({ op: 'dial', code: 'ERR_SPLICEWAY_ADDRESS' });
    expect(error.message).not.toContain('\0');
  });

  test('rejects with ERR_INVALID_ARG_TYPE for wrong types, whatever they are of', async () => {
    const target = '127.0.0.1:1';
    const calls: [unknown, unknown, unknown?][] = [
      [undefined, target],
      [5, target],
      ['tcp', undefined],
      ['tcp', 80],
      ['tcp', new TCPAddr('127.0.0.1', 1)],
      ['tcp', target, null],
      ['tcp', target, 'fast'],
      ['tcp', target, { timeout: '5' }],
      ['tcp', target, { deadline: '2030' }],
      ['tcp', target, { signal: {} }],
      ['tcp', target, { localAddr: 5 }],
      ['tcp', target, { localAddr: { network: 'tcp', ip: '127.0.0.1', port: 0 } }],
      ['tcp', target, { localAddr: null }],
      ['tcp', target, { lookup: 'dns' }],
      ['tcp', target, { keepAliveConfig: true }],
    ];
    for (const call of calls) {
      expect(await caught(dial(...(call as Parameters<typeof dial>)))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
  });

  test('rejects with ERR_OUT_OF_RANGE for numbers that cannot be', async () => {
    for (const options of [
      { timeout: Number.NaN },
      { fallbackDelay: Number.NaN },
      { keepAlive: 0.5 },
      { deadline: Number.NaN },
    ]) {
      expect(await caught(dial('tcp', '127.0.0.1:1', options))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    }
  });

  test('that nobody awaits and that fails is no unhandled rejection', async () => {
    const { code, stdout, stderr } = await runScript(`
      import { dial } from 'spliceway';
      dial('tcp', '127.0.0.1:1');
      dial('tcp', 'no port');
      dial('unix', '/nowhere');
      dial('tcp', '127.0.0.1:1', { deadline: 0 });
      setTimeout(() => console.log('alive'), 50);
    `);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'alive\n', stderr: '' });
  });

  test('keeps the process alive until it is done, and the connection does not', async () => {
    const { code, stdout } = await runScript(`
      import { dial, listen } from 'spliceway';
      const listener = await listen('tcp', '127.0.0.1:0');
      dial('tcp', String(listener.addr)).then((conn) => {
        globalThis.conn = conn;
        console.log('connected');
      });
    `);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'connected\n' });
  });
});

describe.runIf(onLinux)('the time a dial may take', () => {
  const late = (hole: Blackhole) => ({
    code: 'ERR_SPLICEWAY_DEADLINE_EXCEEDED',
    cause: ErrDeadlineExceeded,
    timeout: true,
    temporary: true,
    op: 'dial',
    source: null,
    addr: hole.addr,
    message: `dial tcp ${hole.addr}: i/o timeout`,
  });

  test('timeout: it rejects then, not before, and leaves no socket', async () => {
    using hole = await blackhole();
    const before = openSockets();
    const started = Date.now();
    expect(await caught(dial('tcp', `${hole.addr}`, { timeout: 60 }))).toMatchObject(late(hole));
    expect(Date.now() - started).toBeGreaterThanOrEqual(60);
    expect(openSockets()).toBe(before);
  });

  test('deadline: a Date or a number', async () => {
    using hole = await blackhole();
    for (const make of [(ms: number) => ms, (ms: number) => new Date(ms)]) {
      const t = Date.now() + 40;
      expect(await caught(dial('tcp', `${hole.addr}`, { deadline: make(t) }))).toMatchObject(late(hole));
      expect(Date.now()).toBeGreaterThanOrEqual(t);
    }
  });

  test('both: the earlier one holds', async () => {
    using hole = await blackhole();
    const target = `${hole.addr}`;
    const started = Date.now();
    await caught(dial('tcp', target, { timeout: 30, deadline: started + 3_600_000 }));
    await caught(dial('tcp', target, { timeout: 3_600_000, deadline: Date.now() + 30 }));
    await caught(dial('tcp', target, { timeout: 30, deadline: null }));
    await caught(dial('tcp', target, { timeout: 0, deadline: Date.now() + 30 }));
    expect(Date.now() - started).toBeGreaterThanOrEqual(120);
  });

  test('a deadline in the past: it rejects at once, though the target listens, and makes no connection', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    for (const deadline of [0, Date.now() - 1, new Date(0), Number.NEGATIVE_INFINITY]) {
      const error = await caught(dial('tcp', `${listener.addr}`, { deadline }));
      expect(error).toMatchObject({ ...late(listener), timeout: true });
    }
    expect(await isPending(listener.accept())).toBe(true);
  });

  test('runs while a name is looked up, too', async () => {
    const lookup: Lookup = () => new Promise(() => {});
    const error = await caught(dial('tcp', 'slow.test:80', { lookup, timeout: 30 }));
    expect(error).toMatchObject({
      op: 'dial',
      timeout: true,
      code: 'ERR_SPLICEWAY_DEADLINE_EXCEEDED',
      addr: null,
      message: 'dial tcp: lookup slow.test: i/o timeout',
    });
  });

  test('has no effect on the connection afterwards', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const t = Date.now() + 500;
    using client = await dial('tcp', `${listener.addr}`, { deadline: t, timeout: 600 });
    using server = await listener.accept();
    const reading = client.read();
    await new Promise((resolve) => setTimeout(resolve, t + 50 - Date.now()));
    expect(await isPending(reading)).toBe(true);
    await server.write('x');
    expect(String(await reading)).toBe('x');
    expect(await client.write('y')).toBe(1);
  });

  test.each([Number.MAX_SAFE_INTEGER, 2 ** 31])('may be as long as one likes: a timeout of %d ms', async (timeout) => {
    using listener = await listen('tcp', '127.0.0.1:0');
    using _client = await dial('tcp', `${listener.addr}`, { timeout, deadline: Number.POSITIVE_INFINITY });
    using hole = await blackhole();
    const abort = new AbortController();
    const dialing = dial('tcp', `${hole.addr}`, { timeout, signal: abort.signal });
    expect(await isPending(dialing)).toBe(true);
    abort.abort();
    await caught(dialing);
    const lookup: Lookup = () => turns().then(() => ['127.0.0.1']);
    using _byName = await dial('tcp', `name.test:${portOf(listener)}`, { timeout, lookup });
  });

  test('many dials at once each have their own', async () => {
    using hole = await blackhole();
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const t = Date.now() + 20 + (i % 10) * 5;
        expect(await caught(dial('tcp', `${hole.addr}`, { deadline: t }))).toMatchObject({ timeout: true });
        expect(Date.now()).toBeGreaterThanOrEqual(t);
      }),
    );
  });
});

describe('localAddr', () => {
  test('is where the connection comes from: text or TCPAddr', async () => {
    using listener = await listen('tcp4', ':0');
    const target = `127.0.0.1:${portOf(listener)}`;
    const port = await closedPort();
    using byText = await dial('tcp', target, { localAddr: `127.0.0.1:${port}` });
    expect(`${byText.localAddr}`).toBe(`127.0.0.1:${port}`);
    using server = await listener.accept();
    expect(`${server.remoteAddr}`).toBe(`127.0.0.1:${port}`);
    using byAddr = await dial('tcp', target, { localAddr: new TCPAddr('127.0.0.1', 0) });
    expect(byAddr.localAddr).toMatchObject({ ip: '127.0.0.1' });
    using anyHost = await dial('tcp', target, { localAddr: ':0' });
    expect(anyHost.localAddr).toMatchObject({ ip: '127.0.0.1' });
  });

  test.runIf(onLinux)('may be any of 127/8', async () => {
    using listener = await listen('tcp4', ':0');
    using client = await dial('tcp', `127.0.0.1:${portOf(listener)}`, { localAddr: '127.0.0.9:0' });
    using server = await listener.accept();
    expect(server.remoteAddr).toMatchObject({ ip: '127.0.0.9', port: (client.localAddr as TCPAddr).port });
  });

  test('that is not of this machine fails the dial, and the error names it', async () => {
    using listener = await listen('tcp4', '127.0.0.1:0');
    const error = await caught(dial('tcp', `${listener.addr}`, { localAddr: '192.0.2.77:0' }));
    expect(error).toMatchObject({ op: 'dial', code: 'EADDRNOTAVAIL', syscall: 'bind' });
    expect(error.message).toBe(`dial tcp 192.0.2.77:0->${listener.addr}: bind: cannot assign requested address`);
    expect(`${error.source}`).toBe('192.0.2.77:0');
  });

  test('of another family or another kind is an address that does not fit', async () => {
    const target = '127.0.0.1:1';
    const cases: [localAddr: string | UnixAddr | TCPAddr, network: 'tcp' | 'unix', message: string][] = [
      ['[::1]:0', 'tcp', 'dial tcp: address [::1]:0: no suitable address found'],
      [new UnixAddr('/x'), 'tcp', 'dial tcp: address /x: mismatched local address type'],
      [new TCPAddr('127.0.0.1', 0), 'unix', 'dial unix: address 127.0.0.1:0: mismatched local address type'],
      [new UnixAddr('/x', 'unixpacket'), 'unix', 'dial unix: address /x: mismatched local address type'],
      ['127.0.0.1', 'tcp', 'dial tcp: address 127.0.0.1: missing port in address'],
    ];
    for (const [localAddr, network, message] of cases) {
      const error = await caught(dial(network as never, target, { localAddr }));
      expect(error).toMatchObject({ message, code: 'ERR_SPLICEWAY_ADDRESS', source: null, addr: null });
    }
  });

  test('of a Unix dial is a path that it binds to, and leaves', async () => {
    const local = socketPath();
    using listener = await listen('unix', socketPath());
    using client = await dial('unix', `${listener.addr}`, { localAddr: local });
    using server = await listener.accept();
    expect(`${client.localAddr}`).toBe(local);
    expect(`${server.remoteAddr}`).toBe(local);
    client.close();
    expect(existsSync(local)).toBe(true);
    rmSync(local);
  });
});

describe('lookup', () => {
  /** A resolver that knows these addresses, and what it was asked. */
  function resolver(answers: Awaited<ReturnType<Lookup>>) {
    const asked: [string, number][] = [];
    const lookup: Lookup = async (hostname, { family }) => {
      asked.push([hostname, family]);
      return answers;
    };
    return { lookup, asked };
  }

  test('is asked for a name, with the family that the network wants', async () => {
    using listener = await listen('tcp4', '127.0.0.1:0');
    const { lookup, asked } = resolver(['127.0.0.1']);
    for (const network of ['tcp', 'tcp4'] as const) {
      using client = await dial(network, `some.name.test:${portOf(listener)}`, { lookup });
      expect(`${client.remoteAddr}`).toBe(`${listener.addr}`);
    }
    expect(await caught(dial('tcp6', 'some.name.test:1', { lookup }))).toMatchObject({
      message: 'dial tcp6: address some.name.test: no suitable address found',
    });
    expect(asked).toEqual([
      ['some.name.test', 0],
      ['some.name.test', 4],
      ['some.name.test', 6],
    ]);
  });

  test('is not asked for a numeric address, nor for none', async () => {
    using listener = await listen('tcp4', '127.0.0.1:0');
    const { lookup, asked } = resolver([]);
    using _numeric = await dial('tcp', `${listener.addr}`, { lookup });
    using _none = await dial('tcp', `:${portOf(listener)}`, { lookup });
    expect(asked).toEqual([]);
  });

  test('may answer as dns.lookup does', async () => {
    using listener = await listen('tcp4', '127.0.0.1:0');
    const { lookup } = resolver([{ address: '127.0.0.1' }]);
    using _client = await dial('tcp', `name.test:${portOf(listener)}`, { lookup });
  });

  test.runIf(onLinux)('several addresses are tried in turn; the first that connects wins', async () => {
    using listener = await listen('tcp4', '127.0.0.5:0');
    const { lookup } = resolver(['127.0.0.3', '127.0.0.4', '127.0.0.5', '127.0.0.6']);
    using client = await dial('tcp', `name.test:${portOf(listener)}`, { lookup });
    expect(`${client.remoteAddr}`).toBe(`${listener.addr}`);
  });

  test.runIf(onLinux)('when all addresses fail, the error of the first is told', async () => {
    const port = await closedPort();
    const { lookup } = resolver(['127.0.0.3', '127.0.0.4']);
    const error = await caught(dial('tcp', `name.test:${port}`, { lookup }));
    expect(error.message).toBe(`dial tcp 127.0.0.3:${port}: connect: connection refused`);
  });

  test.runIf(onLinux)('an address that hangs leaves time for the next one', async () => {
    using hole = await blackhole();
    using listener = await listen('tcp4', `127.0.0.7:${portOf(hole)}`);
    const { lookup } = resolver(['127.0.0.1', '127.0.0.7']);
    const started = Date.now();
    // No address gets less than two seconds, while there are as many.
    using client = await dial('tcp', `name.test:${portOf(hole)}`, { lookup, timeout: 4200 });
    expect(`${client.remoteAddr}`).toBe(`${listener.addr}`);
    expect(Date.now() - started).toBeGreaterThanOrEqual(2000);
  });

  test.each([
    ['ENOTFOUND', true, false, 'lookup name.test: no such host'],
    ['ENODATA', true, false, 'lookup name.test: no such host'],
    ['EAI_AGAIN', false, true, 'lookup name.test: getaddrinfo EAI_AGAIN'],
  ])('its failure %s is a DNSError behind the OpError', async (code, notFound, temporary, text) => {
    const lookup: Lookup = () => Promise.reject(Object.assign(new Error('no'), { code, syscall: 'getaddrinfo' }));
    const error = (await caught(dial('tcp', 'name.test:80', { lookup }))) as OpError;
    expect(error).toMatchObject({ op: 'dial', code, timeout: false, temporary, message: `dial tcp: ${text}` });
    expect(error.cause).toBeInstanceOf(DNSError);
    expect(error.cause).toMatchObject({ hostname: 'name.test', notFound, temporary });
  });

  test('its mistakes come out as they are', async () => {
    const mistake = new TypeError('not a function');
    expect(await caught(dial('tcp', 'name.test:80', { lookup: () => Promise.reject(mistake) }))).toBe(mistake);
    const thrower: Lookup = () => {
      throw mistake;
    };
    expect(await caught(dial('tcp', 'name.test:80', { lookup: thrower }))).toBe(mistake);
  });

  test('an answer that is no address is a DNSError', async () => {
    const { lookup } = resolver(['not-an-address']);
    const error = await caught(dial('tcp', 'name.test:80', { lookup }));
    expect(error.cause).toBeInstanceOf(DNSError);
    expect(error.message).toContain('not-an-address');
  });

  test('the system knows localhost', async () => {
    using listener = await listen('tcp', 'localhost:0');
    using client = await dial('tcp', `localhost:${portOf(listener)}`);
    expect(`${client.remoteAddr}`).toBe(`${listener.addr}`);
  });
});
