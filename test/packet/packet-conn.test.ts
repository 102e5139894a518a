import { dial, ErrClosed, listenPacket, OpError, UDPAddr, UDPConn, UnixAddr } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, KiB } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { kinds, udpPair } from '../support/packets.ts';
import { isPending, turns } from '../support/time.ts';

const text = (packets: readonly { data: Uint8Array }[]) => packets.map(({ data }) => String(data));

describe.each(kinds)('%s', (net, makePair) => {
  test('readFrom() gives datagrams whole, in order, with their sender', async () => {
    using pair = await makePair();
    await pair.a.writeTo('one', pair.b.localAddr);
    await pair.a.writeTo(Buffer.from('two'), pair.b.localAddr);
    expect(await pair.b.readFrom()).toEqual({ data: Buffer.from('one'), addr: pair.a.localAddr });
    const { data, addr } = await pair.b.readFrom();
    expect(String(data)).toBe('two');
    expect(await pair.b.writeTo('back', addr)).toBe(4);
    expect(String((await pair.a.readFrom()).data)).toBe('back');
  });

  test.each([0, 1, 63, 64, 65, 1023, 1024, 1025, 9000, 65_000])('carries a datagram of %d bytes', async (size) => {
    using pair = await makePair();
    pair.b.setReadBuffer(256 * KiB);
    const sent = bytes(size);
    expect(await pair.a.writeTo(sent, pair.b.localAddr)).toBe(size);
    const { data } = await pair.b.readFrom();
    expect(Buffer.isBuffer(data)).toBe(true);
    expect(data.equals(sent)).toBe(true);
  });

  test('gives each call a chunk of its own', async () => {
    using pair = await makePair();
    await pair.a.writeTo('first', pair.b.localAddr);
    await pair.a.writeTo('other', pair.b.localAddr);
    const first = await pair.b.readFrom();
    const other = await pair.b.readFrom();
    expect(text([first, other])).toEqual(['first', 'other']);
    expect(first.data.buffer).not.toBe(other.data.buffer);
    structuredClone(first.data.buffer, { transfer: [first.data.buffer as ArrayBuffer] });
    expect(String(other.data)).toBe('other');
  });

  test('an empty datagram is an empty chunk, and no end', async () => {
    using pair = await makePair();
    await pair.a.writeTo('', pair.b.localAddr);
    await pair.a.writeTo('next', pair.b.localAddr);
    expect(await pair.b.readFrom()).toEqual({ data: Buffer.alloc(0), addr: pair.a.localAddr });
    expect(String(await pair.b.read())).toBe('next');
  });

  test('readFrom(p) fills p, and drops what it has no room for', async () => {
    using pair = await makePair();
    await pair.a.writeTo('0123456789', pair.b.localAddr);
    await pair.a.writeTo('next', pair.b.localAddr);
    const p = Buffer.alloc(8, '-');
    expect(await pair.b.readFrom(p.subarray(2, 6))).toEqual({ n: 4, addr: pair.a.localAddr });
    expect(String(p)).toBe('--0123--');
    expect(await pair.b.read(p)).toBe(4);
    expect(String(p)).toBe('next23--');
  });

  test('an empty p takes a datagram from readFrom(), and none from read()', async () => {
    using pair = await makePair();
    const empty = new Uint8Array(0);
    expect(await pair.b.read(empty)).toBe(0);
    await pair.a.writeTo('gone', pair.b.localAddr);
    await pair.a.writeTo('kept', pair.b.localAddr);
    expect(await pair.b.readFrom(empty)).toEqual({ n: 0, addr: pair.a.localAddr });
    expect(await pair.b.read(empty)).toBe(0);
    expect(String(await pair.b.read())).toBe('kept');
  });

  test('calls that wait are served in their order', async () => {
    using pair = await makePair();
    const reads = [pair.b.readFrom(), pair.b.read(), pair.b.readFrom(Buffer.alloc(9)), pair.b.readMsg()];
    const batch = pair.b.readBatch();
    for (const word of ['1', '22', '333', '4444', '55555']) await pair.a.writeTo(word, pair.b.localAddr);
    const [first, second, third, fourth] = (await Promise.all(reads)) as never[];
    expect(String((first as { data: Buffer }).data)).toBe('1');
    expect(String(second)).toBe('22');
    expect((third as { n: number }).n).toBe(3);
    expect(String((fourth as { data: Buffer }).data)).toBe('4444');
    expect(text(await batch)).toEqual(['55555']);
  });

  test('a loop of reads that never wait lets timers run', async () => {
    using pair = await makePair();
    let fired = false;
    setTimeout(() => {
      fired = true;
    });
    for (let i = 0; !fired; i++) {
      if (i > 1_000_000) throw new Error('the loop kept everything else from running');
      await pair.a.writeTo('x', pair.b.localAddr);
      await pair.b.readFrom();
    }
  });

  test('packets() gives all of them, and ends when the conn closes', async () => {
    using pair = await makePair();
    const got: string[] = [];
    const reading = (async () => {
      for await (const { data, addr } of pair.b.packets()) {
        expect(addr).toEqual(pair.a.localAddr);
        if (got.push(String(data)) === 3) pair.b.close();
      }
    })();
    for (const word of ['a', 'b', 'c']) await pair.a.writeTo(word, pair.b.localAddr);
    await reading;
    expect(got).toEqual(['a', 'b', 'c']);
  });

  test('for await over the conn gives payloads', async () => {
    using pair = await makePair();
    await pair.a.writeTo('a', pair.b.localAddr);
    for await (const data of pair.b) {
      expect(String(data)).toBe('a');
      break;
    }
    expect(pair.b.state).toBe('active');
  });

  test('readMsg() tells of what was cut off', async () => {
    using pair = await makePair();
    await pair.a.writeTo('0123456789', pair.b.localAddr);
    await pair.a.writeTo('ab', pair.b.localAddr);
    const p = Buffer.alloc(4);
    expect(await pair.b.readMsg(p)).toMatchObject({ n: 4, truncated: true, addr: pair.a.localAddr });
    expect(String(p)).toBe('0123');
    const { data, oob, flags, truncated } = await pair.b.readMsg({ oob: 64 });
    expect([String(data), oob.length, flags, truncated]).toEqual(['ab', 0, 0, false]);
    await pair.a.writeTo('cd', pair.b.localAddr);
    expect(await pair.b.readMsg(p, Buffer.alloc(64))).toMatchObject({ n: 2, oobn: 0, truncated: false });
    expect(String(p)).toBe('cd23');
  });

  test('readBatch() gives what is there, and no more than asked for', async () => {
    using pair = await makePair();
    for (let i = 0; i < 7; i++) await pair.a.writeTo(`m${i}`, pair.b.localAddr);
    expect(text(await pair.b.readBatch(3))).toEqual(['m0', 'm1', 'm2']);
    const rest = await pair.b.readBatch();
    expect(text(rest)).toEqual(['m3', 'm4', 'm5', 'm6']);
    for (const { addr } of rest) expect(addr).toEqual(pair.a.localAddr);
    expect(new Set(rest.map(({ data }) => data.buffer)).size).toBe(4);
  });

  test('writeBatch() sends all, also more than one call takes and of any size', async () => {
    using pair = await makePair();
    const sizes = Array.from({ length: 150 }, (_, i) => [64, 64, 64, 10, 64, 0, 300, 300, 300, 301, 5000][i % 11] ?? 0);
    const sent = sizes.map((size, i) => bytes(size, i + 1));
    const got: Buffer[] = [];
    const reading = (async () => {
      while (got.length < sent.length) got.push(...(await pair.b.readBatch()).map(({ data }) => data));
    })();
    pair.b.setReadBuffer(4096 * KiB);
    expect(await pair.a.writeBatch(sent.map((data) => ({ data, addr: pair.b.localAddr })))).toBe(sent.length);
    await reading;
    expect(got.map((data, i) => data.equals(sent[i] as Buffer))).toEqual(sent.map(() => true));
  });

  test('writeBatch() of nothing resolves to 0', async () => {
    using pair = await makePair();
    expect(await pair.a.writeBatch([])).toBe(0);
  });

  test('tryWriteTo() and tryWriteBatch() send at once', async () => {
    using pair = await makePair();
    expect(pair.a.tryWriteTo('a', pair.b.localAddr)).toBe(true);
    const batch = ['b', 'c'].map((data) => ({ data, addr: pair.b.localAddr }));
    expect(pair.a.tryWriteBatch(batch)).toBe(2);
    expect(text([await pair.b.readFrom(), ...(await pair.b.readBatch())])).toEqual(['a', 'b', 'c']);
  });

  test('close() ends every waiting call at once, and tells later ones', async () => {
    using pair = await makePair();
    const reads = [
      pair.b.readFrom(),
      pair.b.read(),
      pair.b.readMsg(),
      pair.b.readBatch(),
      pair.b.read(Buffer.alloc(1)),
    ];
    expect(pair.b.close()).toBe(true);
    expect(pair.b.close()).toBe(false);
    for (const read of reads) expect(await caught(read)).toMatchObject({ op: 'read', code: 'ERR_SPLICEWAY_CLOSED' });
    const error = await caught(pair.b.readFrom());
    expect(error).toBeInstanceOf(OpError);
    expect(error.cause).toBe(ErrClosed);
    expect(error.message).toBe(`read ${net} ${pair.b.localAddr}: use of closed network connection`);
    expect((await caught(pair.b.writeTo('x', pair.a.localAddr))).message).toBe(
      `write ${net} ${pair.b.localAddr}->${pair.a.localAddr}: use of closed network connection`,
    );
    expect(pair.b.tryWriteTo('x', pair.a.localAddr)).toBe(false);
    expect(pair.b.state).toBe('closed');
    for (const call of [() => pair.b.setDeadline(null), () => pair.b.setReadBuffer(1)]) {
      expect(call).toThrow(`set ${net} ${pair.b.localAddr}: use of closed network connection`);
    }
    expect(() => pair.b.file()).toThrow(`file ${net} ${pair.b.localAddr}: use of closed network connection`);
  });

  test('a deadline ends calls when it passes, and every later one', async () => {
    using pair = await makePair();
    const t = Date.now() + 30;
    pair.b.setReadDeadline(t);
    const reads = [pair.b.readFrom(), pair.b.readBatch()];
    for (const read of reads) {
      expect(await caught(read)).toMatchObject({ code: 'ERR_SPLICEWAY_DEADLINE_EXCEEDED', timeout: true });
      expect(Date.now()).toBeGreaterThanOrEqual(t);
    }
    await pair.a.writeTo('kept', pair.b.localAddr);
    expect((await caught(pair.b.readFrom())).message).toBe(`read ${net} ${pair.b.localAddr}: i/o timeout`);
    expect(await caught(pair.b.readFrom(new Uint8Array(0)))).toMatchObject({ timeout: true });
    expect(await pair.b.read(new Uint8Array(0))).toBe(0);
    expect(pair.b.state).toBe('readExpired');
    expect(await pair.b.writeTo('x', pair.a.localAddr)).toBe(1);
    pair.b.setReadDeadline(null);
    expect(String(await pair.b.read())).toBe('kept');
  });

  test('a write deadline in the past sends nothing', async () => {
    using pair = await makePair();
    pair.a.setWriteDeadline(new Date(1));
    const error = await caught(pair.a.writeTo('x', pair.b.localAddr));
    expect(error).toMatchObject({ timeout: true, bytesWritten: 0 });
    expect(error.message).toBe(`write ${net} ${pair.a.localAddr}->${pair.b.localAddr}: i/o timeout`);
    const batch = [{ data: 'x', addr: pair.b.localAddr }];
    expect(await caught(pair.a.writeBatch(batch))).toMatchObject({ timeout: true, packetsWritten: 0 });
    expect(pair.a.tryWriteTo('x', pair.b.localAddr)).toBe(false);
    pair.a.setDeadline(null);
    await pair.a.writeTo('y', pair.b.localAddr);
    expect(String(await pair.b.read())).toBe('y');
  });

  test('closed is told before a deadline, and a deadline before a datagram', async () => {
    using pair = await makePair();
    await pair.a.writeTo('x', pair.b.localAddr);
    pair.b.setDeadline(1);
    expect(await caught(pair.b.readFrom())).toMatchObject({ timeout: true });
    pair.b.close();
    expect(await caught(pair.b.readFrom())).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED', timeout: false });
  });

  test('a signal ends its own call alone', async () => {
    using pair = await makePair();
    const ours = new AbortController();
    const reason = new Error('enough');
    const first = pair.b.readFrom({ signal: ours.signal });
    const second = pair.b.readBatch();
    ours.abort(reason);
    expect(await caught(first)).toBe(reason);
    expect(await isPending(second)).toBe(true);
    await pair.a.writeTo('x', pair.b.localAddr);
    expect(text(await second)).toEqual(['x']);
    for (const call of [
      pair.a.writeTo('x', pair.b.localAddr, { signal: ours.signal }),
      pair.a.writeTo('x', 'localhost:1', { signal: ours.signal }),
      pair.a.writeBatch([], { signal: ours.signal }),
      pair.b.readMsg({ signal: ours.signal }),
    ]) {
      expect(await caught(call)).toBe(reason);
    }
    expect(await isPending(pair.b.readFrom())).toBe(true);
  });

  test('shutdown() and disposal close', async () => {
    using pair = await makePair();
    const read = pair.b.readFrom();
    await pair.b.shutdown();
    expect(await caught(read)).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
    await pair.b.shutdown();
    await pair.a[Symbol.asyncDispose]();
    expect([pair.a.state, pair.b.state]).toEqual(['closed', 'closed']);
  });

  test('wrong arguments reject with their names', async () => {
    using pair = await makePair();
    const type = { code: 'ERR_INVALID_ARG_TYPE' };
    const { localAddr } = pair.b;
    expect(await caught(pair.a.writeTo(5 as never, localAddr))).toMatchObject(type);
    expect(await caught(pair.a.writeTo('x', {} as never))).toMatchObject(type);
    expect(await caught(pair.a.writeTo('x', undefined as never))).toMatchObject(type);
    expect(await caught(pair.a.writev('x' as never))).toMatchObject(type);
    expect(await caught(pair.a.writeBatch('x' as never))).toMatchObject(type);
    expect(await caught(pair.a.readFrom(new Uint16Array(1) as never))).toMatchObject(type);
    expect(await caught(pair.a.readFrom({ signal: 1 } as never))).toMatchObject(type);
    expect(await caught(pair.a.readMsg({ oob: 'x' } as never))).toMatchObject(type);
    expect(await caught(pair.a.readBatch(0))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    expect(await caught(pair.a.readBatch(65))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    expect(() => pair.a.handle({} as never)).toThrow(expect.objectContaining(type));
    expect(() => pair.a.setReadBuffer(0)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    expect(() => pair.a.setDeadline('x' as never)).toThrow(expect.objectContaining(type));
  });

  test('a buffer that is detached while its read waits rejects it, and the datagram stays', async () => {
    using pair = await makePair();
    const p = new Uint8Array(8);
    const read = pair.b.readFrom(p);
    structuredClone(p.buffer, { transfer: [p.buffer] });
    await pair.a.writeTo('x', pair.b.localAddr);
    expect(await caught(read)).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    expect(String(await pair.b.read())).toBe('x');
  });
});

describe('udp', () => {
  test('knows its addresses, also after close', async () => {
    using conn = await listenPacket('udp', '127.0.0.1:0');
    expect(conn).toBeInstanceOf(UDPConn);
    expect(conn.localAddr).toBeInstanceOf(UDPAddr);
    expect(conn.localAddr.port).toBeGreaterThan(0);
    expect(conn.remoteAddr).toBeNull();
    expect(conn.state).toBe('new');
    const before = `${conn.localAddr}`;
    conn.close();
    expect(`${conn.localAddr}`).toBe(before);
  });

  test('writeTo() takes a text, and looks up names in it', async () => {
    using pair = await udpPair();
    const { port } = pair.b.localAddr;
    expect(await pair.a.writeTo('literal', `127.0.0.1:${port}`)).toBe(7);
    expect(await pair.a.writeTo('name', `localhost:${port}`)).toBe(4);
    expect(String(await pair.b.read())).toBe('literal');
    expect(String(await pair.b.read())).toBe('name');
    const error = await caught(pair.a.writeTo('x', '127.0.0.1'));
    expect(error).toMatchObject({ op: 'write', code: 'ERR_SPLICEWAY_ADDRESS', bytesWritten: 0, addr: null });
    expect(error.message).toBe(`write udp ${pair.a.localAddr}: address 127.0.0.1: missing port in address`);
  });

  test('both sides of IPv6 and IPv4 understand each other on a socket for both', async () => {
    using both = await listenPacket('udp', ':0');
    using four = await listenPacket('udp4', '127.0.0.1:0');
    const { port } = both.localAddr;
    await four.writeTo('four', new UDPAddr('127.0.0.1', port));
    const { addr } = await both.readFrom();
    expect(`${addr}`).toBe(`${four.localAddr}`);
    await both.writeTo('answer', addr);
    expect(String(await four.read())).toBe('answer');
    await both.writeBatch([{ data: 'again', addr }]);
    expect(String(await four.read())).toBe('again');
  });

  test('a sender is one frozen object for as long as it is remembered', async () => {
    using pair = await udpPair();
    await pair.a.writeTo('1', pair.b.localAddr);
    await pair.a.writeTo('2', pair.b.localAddr);
    const [first, second] = [await pair.b.readFrom(), await pair.b.readFrom()];
    expect(first.addr).toBe(second.addr);
    expect(Object.isFrozen(first.addr)).toBe(true);
    expect(first.addr).toEqual(pair.a.localAddr);
  });

  test('more senders than are remembered are still told apart', async () => {
    using to = await listenPacket('udp', '127.0.0.1:0');
    for (let i = 0; i < 300; i++) {
      using from = await listenPacket('udp', `127.0.${i % 200}.${1 + (i % 250)}:0`);
      await from.writeTo('x', to.localAddr);
      expect((await to.readFrom()).addr).toEqual(from.localAddr);
    }
  });

  test('writeMsg() without an address says so', async () => {
    using pair = await udpPair();
    expect((await caught(pair.a.writeMsg('x'))).message).toBe(`write udp ${pair.a.localAddr}: missing address`);
    expect(await pair.a.writeMsg('x', null, pair.b.localAddr)).toBe(1);
    expect(String(await pair.b.read())).toBe('x');
  });

  test.each([
    [
      'write() that has nobody to go to',
      (c: UDPConn) => c.write('x'),
      'write udp A: write: destination address required',
      'EDESTADDRREQ',
    ],
    [
      'writev()',
      (c: UDPConn) => c.writev([Buffer.from('x')]),
      'writev udp A: writev: destination address required',
      'EDESTADDRREQ',
    ],
    ['writeTo() without an address', (c: UDPConn) => c.writeTo('x', null), 'write udp A: invalid argument', 'EINVAL'],
    [
      'writeTo() an address of IPv6',
      (c: UDPConn) => c.writeTo('x', new UDPAddr('::1', 9)),
      'write udp A->[::1]:9: address ::1: non-IPv4 address',
      'ERR_SPLICEWAY_ADDRESS',
    ],
    [
      'writeTo() an address of Unix',
      (c: UDPConn) => c.writeTo('x', new UnixAddr('/s', 'unixgram')),
      'write udp A->/s: invalid argument',
      'EINVAL',
    ],
    [
      'writeTo() port 0',
      (c: UDPConn) => c.writeTo('x', new UDPAddr('127.0.0.1', 0)),
      'write udp A->127.0.0.1:0: sendto: invalid argument',
      'EINVAL',
    ],
    [
      'writeTo() what is no address',
      (c: UDPConn) => c.writeTo('x', new UDPAddr('nonsense', 1)),
      'write udp A->nonsense:1: address nonsense: invalid IP address',
      'ERR_SPLICEWAY_ADDRESS',
    ],
    [
      'writeTo() of too much',
      (c: UDPConn) => c.writeTo(Buffer.alloc(65_508), new UDPAddr('127.0.0.1', 9)),
      'write udp A->127.0.0.1:9: sendto: message too long',
      'EMSGSIZE',
    ],
  ])('%s fails as in Go', async (_what, call, message, code) => {
    using conn = await listenPacket('udp', '127.0.0.1:0');
    const error = await caught(call(conn));
    expect(error.message).toBe(message.replace('A', `${conn.localAddr}`));
    expect(error).toMatchObject({ code, bytesWritten: 0, timeout: false, source: conn.localAddr });
    expect(await isPending(conn.readFrom())).toBe(true);
  });

  test('a batch that fails says how many went before', async () => {
    using pair = await udpPair();
    const packets = [
      { data: 'a', addr: pair.b.localAddr },
      { data: 'b', addr: pair.b.localAddr },
      { data: Buffer.alloc(65_508), addr: pair.b.localAddr },
      { data: 'never', addr: pair.b.localAddr },
    ];
    expect(await caught(pair.a.writeBatch(packets))).toMatchObject({ code: 'EMSGSIZE', packetsWritten: 2 });
    expect(text(await pair.b.readBatch(2))).toEqual(['a', 'b']);
    expect(pair.a.tryWriteBatch(packets)).toBe(2);
    expect(pair.a.tryWriteBatch(packets.slice(2))).toBe(0);
    const unsuitable = [{ data: 'x', addr: new UDPAddr('::1', 9) }];
    expect(await caught(pair.a.writeBatch(unsuitable))).toMatchObject({ code: 'EMSGSIZE' }); // tryWriteBatch()'s
    expect(await caught(pair.a.writeBatch(unsuitable))).toMatchObject({
      code: 'ERR_SPLICEWAY_ADDRESS',
      packetsWritten: 0,
    });
  });
});

describe('a connected udp socket', () => {
  test('talks to its peer alone', async () => {
    using peer = await listenPacket('udp', '127.0.0.1:0');
    using stranger = await listenPacket('udp', '127.0.0.1:0');
    using conn = await dial('udp', `${peer.localAddr}`);
    expect(conn.remoteAddr).toEqual(peer.localAddr);
    await stranger.writeTo('not heard', conn.localAddr);
    await conn.write('hello');
    expect(await peer.readFrom()).toEqual({ data: Buffer.from('hello'), addr: conn.localAddr });
    await peer.writeTo('answer', conn.localAddr);
    expect(String(await conn.read())).toBe('answer');
    await peer.writeTo('again', conn.localAddr);
    expect(await conn.readFrom()).toEqual({ data: Buffer.from('again'), addr: peer.localAddr });
    expect(await isPending(conn.read())).toBe(true);
  });

  test('sends the members of a list as one datagram', async () => {
    using peer = await listenPacket('udp', '127.0.0.1:0');
    using conn = await dial('udp', `${peer.localAddr}`);
    expect(await conn.writev(['a', '', 'bc'].map((part) => Buffer.from(part)))).toBe(3);
    expect(await conn.write('')).toBe(0);
    expect(conn.tryWrite('try')).toBe(3);
    expect(await conn.writeBatch([{ data: 'x' }, { data: 'y' }])).toBe(2);
    expect(text(await peer.readBatch(5))).toEqual(['abc', '', 'try', 'x', 'y']);
  });

  test('refuses writeTo(), and sends nothing', async () => {
    using peer = await listenPacket('udp', '127.0.0.1:0');
    using conn = await dial('udp', `${peer.localAddr}`);
    const error = await caught(conn.writeTo('x', peer.localAddr));
    expect(error.message).toBe(
      `write udp ${conn.localAddr}->${peer.localAddr}: use of WriteTo with pre-connected connection`,
    );
    expect(error.code).toBe('ERR_SPLICEWAY_WRITE_TO_CONNECTED');
    expect(await caught(conn.writeMsg('x', null, peer.localAddr))).toMatchObject({ code: error.code });
    expect(await conn.writeMsg('y')).toBe(1);
    expect(String(await peer.read())).toBe('y');
    conn.close();
    // Go asks this before whether it is closed.
    expect(await caught(conn.writeTo('x', peer.localAddr))).toMatchObject({ code: error.code });
    expect((await caught(conn.write('x'))).message).toBe(
      `write udp ${conn.localAddr}->${peer.localAddr}: use of closed network connection`,
    );
  });

  test('is told once that its peer is gone', async () => {
    using peer = await listenPacket('udp', '127.0.0.1:0');
    using conn = await dial('udp', `${peer.localAddr}`);
    peer.close();
    await conn.write('x');
    await turns();
    const error = await caught(conn.read());
    expect(error.message).toBe(`read udp ${conn.localAddr}->${peer.localAddr}: read: connection refused`);
    expect(error).toMatchObject({ code: 'ECONNREFUSED', syscall: 'read', timeout: false });
    expect(await isPending(conn.read())).toBe(true);
  });

  test('is told so by a read that waits', async () => {
    using peer = await listenPacket('udp', '127.0.0.1:0');
    using conn = await dial('udp', `${peer.localAddr}`);
    peer.close();
    const read = conn.readFrom();
    await conn.write('x');
    expect(await caught(read)).toMatchObject({ code: 'ECONNREFUSED', syscall: 'recvfrom' });
  });

  test('reaches this machine by the wildcard', async () => {
    using peer = await listenPacket('udp', ':0');
    using conn = await dial('udp', `:${peer.localAddr.port}`);
    expect(`${conn.remoteAddr}`).toBe(`127.0.0.1:${peer.localAddr.port}`);
  });

  test('has the local address that was asked for', async () => {
    using peer = await listenPacket('udp', '127.0.0.1:0');
    using conn = await dial('udp', `${peer.localAddr}`, { localAddr: '127.0.0.9:0' });
    expect(conn.localAddr.ip).toBe('127.0.0.9');
    const error = await caught(dial('udp', `${peer.localAddr}`, { localAddr: `${peer.localAddr}` }));
    expect(error.message).toBe(`dial udp ${peer.localAddr}->${peer.localAddr}: bind: address already in use`);
    expect(error).toMatchObject({ op: 'dial', code: 'EADDRINUSE', source: peer.localAddr });
  });
});
