import { spawnSync } from 'node:child_process';
import { dial, IPAddr, IPConn, listenPacket, type OpError, UDPAddr } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { caught } from '../support/caught.ts';
import { childEnv, root } from '../support/child.ts';

const allowed = await listenPacket('ip4:icmp', '127.0.0.1').then(
  (conn) => conn.close(),
  () => false,
);

/** An ICMP echo request of eight bytes, with its checksum. */
function request(id: number): Buffer {
  const message = Buffer.alloc(8);
  message[0] = 8;
  message.writeUInt16BE(id, 4);
  message.writeUInt16BE(0xffff - 0x0800 - id, 2);
  return message;
}

describe.skipIf(!allowed)('raw IP', () => {
  test.each(['ip4:icmp', 'ip4:ICMP', 'ip4:1'] as const)(
    '%s sends and receives, without the IP header',
    async (network) => {
      using conn = await listenPacket(network, '127.0.0.1');
      expect(conn).toBeInstanceOf(IPConn);
      expect(`${conn.localAddr}`).toBe('127.0.0.1');
      expect(conn.localAddr).toMatchObject({ network: 'ip', ip: '127.0.0.1' });
      const sent = request(7001);
      expect(await conn.writeTo(sent, new IPAddr('127.0.0.1'))).toBe(8);
      for (;;) {
        const { data, addr } = await conn.readFrom();
        expect(addr).toEqual(new IPAddr('127.0.0.1'));
        if (data[0] !== 0 || data.readUInt16BE(4) !== 7001) continue; // not the answer, or another's
        expect(data.length).toBe(8);
        break;
      }
    },
  );

  test('read() and readMsg() see the IP header, as in Go', async () => {
    using conn = await listenPacket('ip4:icmp', '127.0.0.1');
    await conn.writeTo(request(7002), '127.0.0.1');
    expect((await conn.read())[0]).toBe(0x45);
    expect((await conn.readMsg()).data[0]).toBe(0x45);
    await conn.writeTo(request(7002), '127.0.0.1');
    const p = Buffer.alloc(100);
    const { n } = await conn.readFrom(p);
    expect(n).toBe(8);
    expect(p[0]).toBe(8);
  });

  test('a connected one talks to its peer', async () => {
    using conn = await dial('ip4:icmp', '127.0.0.1');
    expect(`${conn.remoteAddr}`).toBe('127.0.0.1');
    expect(await conn.write(request(7003))).toBe(8);
    const error = await caught(conn.writeTo(request(7003), new IPAddr('127.0.0.1')));
    expect(error.message).toBe('write ip4 127.0.0.1->127.0.0.1: use of WriteTo with pre-connected connection');
  });

  test('addresses of another kind are refused', async () => {
    using conn = await listenPacket('ip4:icmp', '127.0.0.1');
    const messageOf = async (call: Promise<unknown>) => (await caught<OpError>(call)).message;
    expect(await messageOf(conn.writeTo('x', null))).toBe('write ip4 127.0.0.1: invalid argument');
    expect(await messageOf(conn.writeTo('x', new UDPAddr('127.0.0.1', 1)))).toMatch(/: invalid argument$/);
    expect(await messageOf(conn.writeTo('x', new IPAddr('::1')))).toMatch(/: address ::1: non-IPv4 address$/);
    expect(await messageOf(conn.writeMsg('x'))).toBe('write ip4 127.0.0.1: missing address');
  });
});

// Another user, who may not.
test.skipIf(process.getuid?.() !== 0)('is refused with what is missing', () => {
  const source = `
    const { listenPacket } = require('spliceway');
    process.setgid(65534);
    process.setuid(65534);
    listenPacket('ip4:icmp', '127.0.0.1').catch((error) => console.log(error.code, error.message));
  `;
  const { stdout } = spawnSync(process.execPath, ['--input-type=commonjs', '--eval', source], {
    cwd: root,
    env: childEnv(),
    encoding: 'utf8',
  });
  expect(stdout).toMatch(
    /^EPERM listen ip4:icmp 127\.0\.0\.1: socket: operation not permitted \(raw IP sockets need root/,
  );
});
