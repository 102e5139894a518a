import { existsSync, rmSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { AddrError, DNSError, dial, listenMulticastUDP, listenPacket, OpError, UDPAddr, type UDPConn } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { openSockets } from '../support/fds.ts';
import { socketPath } from '../support/pair.ts';
import { hasPython, pythonSync } from '../support/python.ts';
import { isPending } from '../support/time.ts';

const onLinux = process.platform === 'linux';
const hasIPv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

describe('listenPacket()', () => {
  test.each([
    ['udp', ':0', /^\[::\]:\d+$/],
    ['udp', '', /^\[::\]:\d+$/],
    ['udp', '0.0.0.0:0', /^\[::\]:\d+$/],
    ['udp4', ':0', /^0\.0\.0\.0:\d+$/],
    ['udp6', ':0', /^\[::\]:\d+$/],
    ['udp', '127.0.0.1:0', /^127\.0\.0\.1:\d+$/],
    ['udp', '[::1]:0', /^\[::1\]:\d+$/],
    ['udp', 'localhost:0', /^127\.0\.0\.1:\d+$/],
  ] as const)('%s on "%s" has an address like %s', async (network, address, expected) => {
    if (!hasIPv6 && expected.source.includes(':\\]')) return;
    using conn = await listenPacket(network, address);
    expect(`${conn.localAddr}`).toMatch(expected);
    expect(conn.localAddr.network).toBe('udp');
  });

  test.each([
    ['foo', '', 'listen foo: unknown network foo'],
    ['foo:1', '', 'listen foo:1: unknown network foo:1'],
    ['ip', '', 'listen ip: unknown network ip'],
    ['ip4:nosuch', '', 'listen ip4:nosuch: address nosuch: unknown IP protocol specified'],
    ['tcp', '127.0.0.1:0', 'listen tcp 127.0.0.1:0: address 127.0.0.1:0: unexpected address type'],
    ['unix', '/x', 'listen unix /x: address /x: unexpected address type'],
    [
      'tcp4',
      '[::ffff:127.0.0.1]:00',
      'listen tcp4 127.0.0.1:0: address [::ffff:127.0.0.1]:00: unexpected address type',
    ],
    ['udp', '127.0.0.1', 'listen udp: address 127.0.0.1: missing port in address'],
    ['udp', '127.0.0.1:65536', 'listen udp: address 65536: invalid port'],
    ['udp6', '127.0.0.1:0', 'listen udp6: address 127.0.0.1: no suitable address found'],
  ])('%s on "%s" rejects: %s', async (network, address, message) => {
    const error = await caught(listenPacket(network as never, address));
    expect(error).toBeInstanceOf(OpError);
    expect(error).toMatchObject({ op: 'listen', net: network, source: null, code: 'ERR_SPLICEWAY_ADDRESS' });
    expect(error.message).toBe(message);
  });

  test('a taken port is in use: there is no SO_REUSEADDR', async () => {
    using first = await listenPacket('udp', '127.0.0.1:0');
    const error = await caught(listenPacket('udp', `${first.localAddr}`));
    expect(error.message).toBe(`listen udp ${first.localAddr}: bind: address already in use`);
    expect(error).toMatchObject({ code: 'EADDRINUSE', syscall: 'bind', addr: first.localAddr });
  });

  test('a port is free again at once', async () => {
    const first = await listenPacket('udp', '127.0.0.1:0');
    first.close();
    using again = await listenPacket('udp', `${first.localAddr}`);
    expect(`${again.localAddr}`).toBe(`${first.localAddr}`);
  });

  test('sockets that both ask for it share a port', async () => {
    using first = await listenPacket('udp', '127.0.0.1:0', { reusePort: true });
    using second = await listenPacket('udp', `${first.localAddr}`, { reusePort: true });
    expect(second.localAddr.port).toBe(first.localAddr.port);
    using sharing = await listenPacket('udp', '127.0.0.1:0', { reuseAddr: true });
    using _other = await listenPacket('udp', `${sharing.localAddr}`, { reuseAddr: true });
  });

  test('a name that does not exist rejects with what looked it up', async () => {
    const lookup = async () => {
      throw Object.assign(new Error('no'), { code: 'ENOTFOUND' });
    };
    const error = await caught(listenPacket('udp', 'nosuch.test:0', { lookup }));
    expect(error.message).toBe('listen udp: lookup nosuch.test: no such host');
    expect(error.cause).toBeInstanceOf(DNSError);
  });

  test('a signal ends the looking up', async () => {
    const ours = new AbortController();
    const listening = listenPacket('udp', 'slow.test:0', { signal: ours.signal, lookup: () => new Promise(() => {}) });
    const reason = new Error('enough');
    ours.abort(reason);
    expect(await caught(listening)).toBe(reason);
  });

  test('the control function sees the socket before it is bound', async () => {
    const calls: unknown[] = [];
    using conn = await listenPacket('udp', ':0', {
      control(network, address, socket) {
        socket.control((fd) => calls.push(network, address, typeof fd));
      },
    });
    expect(calls).toEqual([hasIPv6 ? 'udp6' : 'udp4', ':0', 'number']);
    calls.length = 0;
    using _connected = await dial('udp', `127.0.0.1:${conn.localAddr.port}`, {
      control: (network, address) => calls.push(network, address),
    });
    expect(calls).toEqual(['udp4', `127.0.0.1:${conn.localAddr.port}`]);
  });

  test('what the control function throws is the cause, and no socket is left', async () => {
    const before = openSockets();
    const refused = new Error('control refused');
    const control = () => {
      throw refused;
    };
    const error = await caught(listenPacket('udp', '127.0.0.1:0', { control }));
    expect(error.message).toBe('listen udp 127.0.0.1:0: control refused');
    expect(error.cause).toBe(refused);
    expect(openSockets()).toBe(before);
  });

  test.skipIf(!onLinux || !hasPython)(
    'broadcast is on, and the descriptor is close-on-exec and non-blocking',
    async () => {
      using conn = await listenPacket('udp', '127.0.0.1:0');
      const fd = conn.file();
      const answer = pythonSync(
        `
import fcntl
s = socket.socket(fileno=3)
print(s.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST), s.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR),
      bool(fcntl.fcntl(3, fcntl.F_GETFL) & os.O_NONBLOCK))
`,
        [fd],
      );
      expect(answer).toBe('1 0 True\n');
    },
  );

  test.skipIf(!hasIPv6)('udp6 does not carry IPv4', async () => {
    using six = await listenPacket('udp6', ':0');
    using four = await listenPacket('udp4', '127.0.0.1:0');
    await four.writeTo('x', new UDPAddr('127.0.0.1', six.localAddr.port));
    expect(await isPending(six.readFrom())).toBe(true);
    const error = await caught(six.writeTo('x', four.localAddr));
    expect(error.code).toBe('ENETUNREACH');
  });

  test('wrong arguments reject', async () => {
    const type = { code: 'ERR_INVALID_ARG_TYPE' };
    expect(await caught(listenPacket(1 as never, ''))).toMatchObject(type);
    expect(await caught(listenPacket('udp', 1 as never))).toMatchObject(type);
    expect(await caught(listenPacket('udp', ':0', 1 as never))).toMatchObject(type);
    for (const options of [{ control: 1 }, { reusePort: 1 }, { lookup: 1 }, { signal: 1 }, { mode: 'x' }]) {
      expect(await caught(listenPacket('udp', ':0', options as never))).toMatchObject(type);
    }
  });
});

describe('unixgram', () => {
  test('the file stays when the conn closes, and is not taken over', async () => {
    const path = socketPath();
    const conn = await listenPacket('unixgram', path);
    expect(conn.localAddr).toMatchObject({ network: 'unixgram', path });
    conn.close();
    expect(existsSync(path)).toBe(true);
    const error = await caught(listenPacket('unixgram', path));
    expect(error.message).toBe(`listen unixgram ${path}: bind: address already in use`);
    rmSync(path);
  });

  test('the file has the permissions that were asked for', async () => {
    const path = socketPath();
    using _conn = await listenPacket('unixgram', path, { mode: 0o666 });
    expect(statSync(path).mode & 0o777).toBe(0o666);
    rmSync(path);
  });

  test.skipIf(!onLinux)('an empty name gets one from the system', async () => {
    using conn = await listenPacket('unixgram', '');
    expect(`${conn.localAddr}`).toMatch(/^@[0-9a-f]{5}$/);
  });

  test('a path that is too long is an address that does not fit', async () => {
    const error = await caught(listenPacket('unixgram', `/tmp/${'x'.repeat(200)}`));
    expect(error.code).toBe('ERR_SPLICEWAY_ADDRESS');
    expect(error.cause).toBeInstanceOf(AddrError);
  });
});

// The loopback interface takes part in groups on Linux if it is told to.
describe.skipIf(!onLinux)('groups', () => {
  async function groupOf(conn: UDPConn): Promise<UDPAddr> {
    conn.setMulticastInterface('127.0.0.1');
    return new UDPAddr('239.255.77.1', conn.localAddr.port);
  }

  test('joinGroup() lets in what is sent to it, and leaveGroup() ends that', async () => {
    using conn = await listenPacket('udp4', ':0');
    using sender = await listenPacket('udp4', '127.0.0.1:0');
    const group = await groupOf(conn);
    sender.setMulticastInterface('lo');
    conn.joinGroup(group.ip, { interface: 'lo' });
    await sender.writeTo('heard', group);
    expect(String(await conn.read())).toBe('heard');
    expect(() => conn.joinGroup(group.ip, { interface: 'lo' })).toThrow(
      /^set udp4 .*: setsockopt: address already in use$/,
    );
    conn.leaveGroup(group.ip, { interface: '127.0.0.1' });
    await sender.writeTo('not heard', group);
    expect(await isPending(conn.read())).toBe(true);
  });

  test('a source lets in its own alone', async () => {
    using conn = await listenPacket('udp4', ':0');
    using right = await listenPacket('udp4', '127.0.0.2:0');
    using wrong = await listenPacket('udp4', '127.0.0.3:0');
    const group = await groupOf(conn);
    conn.joinGroup(group.ip, { interface: 'lo', source: '127.0.0.2' });
    for (const sender of [wrong, right]) {
      sender.setMulticastInterface('lo');
      sender.setMulticastTTL(0);
      await sender.writeTo(`${sender.localAddr.ip}`, group);
    }
    expect(String(await conn.read())).toBe('127.0.0.2');
    conn.leaveGroup(group.ip, { interface: 'lo', source: '127.0.0.2' });
  });

  test.skipIf(!hasPython)('listenMulticastUDP() joins, shares its port, and sends nothing to itself', async () => {
    using first = await listenMulticastUDP('udp4', '239.255.77.2:0', { interface: 'lo' });
    expect(first.localAddr.ip).toBe('0.0.0.0');
    const group = new UDPAddr('239.255.77.2', first.localAddr.port);
    using second = await listenMulticastUDP('udp4', `${group}`, { interface: 'lo' });
    using sender = await listenPacket('udp4', '127.0.0.1:0');
    sender.setMulticastInterface('lo');
    await sender.writeTo('x', group);
    expect([String(await first.read()), String(await second.read())]).toEqual(['x', 'x']);
    // What goes out on the loopback interface comes back all the same.
    const loopback = 'print(socket.socket(fileno=3).getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP))';
    expect(pythonSync(loopback, [first.file()])).toBe('0\n');
  });

  test('what cannot be is an error of setting', async () => {
    using conn = await listenPacket('udp4', '127.0.0.1:0');
    const set = `set udp4 ${conn.localAddr}: `;
    expect(() => conn.joinGroup('nonsense')).toThrow(`${set}address nonsense: invalid IP address`);
    expect(() => conn.joinGroup('127.0.0.1')).toThrow(`${set}setsockopt: invalid argument`);
    expect(() => conn.joinGroup('239.1.1.1', { interface: 'nosuch0' })).toThrow(`${set}setsockopt: no such device`);
    const range = expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' });
    for (const hops of [0, 256]) expect(() => conn.setTTL(hops)).toThrow(range);
    for (const hops of [-1, 256]) expect(() => conn.setMulticastTTL(hops)).toThrow(range);
    conn.setTTL(1);
    conn.setMulticastTTL(0);
    conn.setBroadcast(false);
    const error = await caught(listenMulticastUDP('udp', ':1'));
    expect(error.message).toBe('listen udp :1: missing address');
    const noGroup = await caught(listenMulticastUDP('udp', '127.0.0.1:0'));
    expect(noGroup.message).toBe('listen udp 127.0.0.1:0: setsockopt: invalid argument');
  });

  test('setBroadcast(false) refuses what goes to all', async () => {
    using conn = await listenPacket('udp4', '127.0.0.1:0');
    conn.setBroadcast(false);
    expect(await caught(conn.writeTo('x', new UDPAddr('127.255.255.255', 9)))).toMatchObject({ code: 'EACCES' });
  });
});

describe('the process', () => {
  test('lives for a read that waits, and not for a conn that nobody waits on', async () => {
    const { stdout, code } = await runScript(`
      import { listenPacket } from 'spliceway';
      const idle = await listenPacket('udp', '127.0.0.1:0');
      const unrefd = (await listenPacket('udp', '127.0.0.1:0')).unref();
      void unrefd.readFrom();
      const waiting = await listenPacket('udp', '127.0.0.1:0');
      setTimeout(() => idle.writeTo('x', waiting.localAddr), 50).unref();
      console.log(String(await waiting.read()));
    `);
    expect([stdout, code]).toEqual(['x\n', 0]);
  });

  test('does not die of calls that nobody awaits', async () => {
    const { stdout, stderr, code } = await runScript(`
      import { listenPacket, UDPAddr } from 'spliceway';
      const conn = await listenPacket('udp', '127.0.0.1:0');
      void conn.writeTo(Buffer.alloc(65_508), new UDPAddr('127.0.0.1', 9));
      void conn.writeTo('x', 'nosuch.invalid:1');
      void conn.writeTo('x', 'malformed');
      void conn.write('x');
      void conn.writeBatch([{ data: 'x', addr: new UDPAddr('::1', 9) }]);
      void conn.readFrom();
      void conn.readBatch();
      setTimeout(() => { conn.close(); void conn.readFrom(); console.log('alive'); }, 20);
    `);
    expect([stdout, stderr, code]).toEqual(['alive\n', '', 0]);
  });

  test('is warned of a conn that is collected, which then closes', async () => {
    const { stderr, code } = await runScript(
      `
      import { listenPacket } from 'spliceway';
      import { setTimeout } from 'node:timers/promises';
      let conn = await listenPacket('udp', '127.0.0.1:0');
      const address = \`\${conn.localAddr}\`;
      conn = null;
      for (let i = 0; i < 100; i++) {
        gc();
        await setTimeout(10);
        const again = await listenPacket('udp', address).catch(() => null);
        if (again !== null) process.exit(again.close() ? 0 : 1);
      }
      process.exit(2);
    `,
      { node: ['--expose-gc'] },
    );
    expect(code).toBe(0);
    expect(stderr).toContain('SPLICEWAY_CONN_COLLECTED');
  });
});
