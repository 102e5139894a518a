// Edge-triggered events come once. Whoever waits for one must not have seen its last: what arrives
// together, in pieces, or while nobody looks is read to the last byte, whichever way it is read.

import { type Conn, copy, listen, type OpError, relay, type TCPConn, type UnixConn } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, KiB } from '../support/bytes.ts';
import { openPipeEnds } from '../support/fds.ts';
import { type Pair, socketPath, streams, tcpPair, unixPair } from '../support/pair.ts';
import { hasPython, pythonSync, startPython } from '../support/python.ts';
import { descriptorOf } from '../support/sockopt.ts';
import { eventually, turns } from '../support/time.ts';

type Socket = TCPConn | UnixConn;

/** What a reader has got so far, and how it ended: with FIN, or with an error's code. */
class Received {
  private readonly chunks: Buffer[] = [];
  size = 0;
  ending: string | null = null;

  readonly add = (chunk: Uint8Array) => {
    this.chunks.push(Buffer.from(chunk));
    this.size += chunk.length;
  };
  readonly end = () => {
    this.ending = 'FIN';
  };
  readonly fail = (error: unknown) => {
    this.ending = String((error as OpError).code);
  };

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

async function readAll(conn: Conn, got: Received, between = async () => {}): Promise<void> {
  for (let chunk = await conn.read(); chunk !== null; chunk = await conn.read()) {
    got.add(chunk);
    await between();
  }
}

async function readInto(conn: Conn, got: Received, p: Uint8Array): Promise<void> {
  for (let n = await conn.read(p); n !== null; n = await conn.read(p)) got.add(p.subarray(0, n));
}

async function iterate(conn: Conn, got: Received): Promise<void> {
  for await (const chunk of conn) got.add(chunk);
}

// copy() and relay() pass the bytes on to a second connection, whose far end is read.

async function copied(conn: Socket, got: Received): Promise<void> {
  const { client: near, server: far } = await tcpPair();
  const reading = readAll(far, got).finally(() => far.close());
  const [copying] = await Promise.allSettled([copy(near, conn).finally(() => near.close()), reading]);
  if (copying.status === 'rejected') throw copying.reason;
}

async function relayed(conn: Socket, got: Received): Promise<void> {
  const { client: near, server: far } = await tcpPair();
  const reading = readAll(far, got).finally(() => far.close());
  const [{ error }] = await Promise.all([relay(conn, near), reading]);
  if (error !== null) throw error;
}

/** Ways to read: each goes on until the connection ends. */
const ways: Record<string, (conn: Socket, got: Received) => Promise<void>> = {
  'read()': (conn, got) => readAll(conn, got),
  'read() with turns in between': (conn, got) => readAll(conn, got, turns),
  'read(p) of 7 bytes': (conn, got) => readInto(conn, got, new Uint8Array(7)),
  'for await': iterate,
  'handle()': (conn, got) => new Promise((end, error) => conn.handle({ data: got.add, end, error })),
  'handle() with promises': (conn, got) =>
    new Promise((end, error) => {
      const data = async (chunk: Buffer) => {
        got.add(chunk);
        await turns();
      };
      conn.handle({ data, end, error });
    }),
  'copy()': copied,
  'relay()': relayed,
};

/** Starts to read. */
function start(read: (conn: Socket, got: Received) => Promise<void>, conn: Socket): Received {
  const got = new Received();
  read(conn, got).then(got.end, got.fail);
  return got;
}

function reset(conn: Socket): void {
  if ('setLinger' in conn) conn.setLinger(0);
  conn.close();
}

/** An urgent byte on each, while everything here stands still. */
const sendUrgent = (conns: readonly TCPConn[]) =>
  pythonSync(
    `
for fd in range(3, 3 + ${conns.length}):
  s = socket.socket(fileno=fd)
  s.send(b'!', socket.MSG_OOB)
  s.detach()
`,
    conns.map(descriptorOf),
  );

const onLinux = process.platform === 'linux';

describe.each(Object.entries(ways))('%s:', (_way, read) => {
  describe.each(streams)('%s:', (_network, makePair) => {
    const startReading = (pair: Pair<Socket>) => start(read, pair.server);

    test.each([1, 64 * KiB, 200 * KiB])('%d bytes together with FIN, to a reader that waits', async (size) => {
      using pair = await makePair();
      const got = startReading(pair);
      await turns();
      const writing = pair.client.write(bytes(size));
      pair.client.closeWrite();
      await writing;
      await eventually(() => got.ending !== null);
      expect([got.ending, got.bytes.equals(bytes(size))]).toEqual(['FIN', true]);
    });

    test('bytes and FIN that were there before anybody read', async () => {
      using pair = await makePair();
      await pair.client.write('bytes');
      pair.client.closeWrite();
      await turns();
      const got = startReading(pair);
      await eventually(() => got.ending !== null);
      expect([got.ending, String(got.bytes)]).toEqual(['FIN', 'bytes']);
    });

    test('one byte at a time, each in a turn of its own', async () => {
      using pair = await makePair();
      const sent = bytes(50);
      const got = startReading(pair);
      for (const byte of sent) {
        expect(pair.client.tryWrite(Uint8Array.of(byte))).toBe(1);
        await turns();
      }
      await eventually(() => got.size === sent.length);
      expect(got.bytes.equals(sent)).toBe(true);
      pair.client.closeWrite();
      await eventually(() => got.ending === 'FIN');
    });

    test('one byte at a time, several in a turn, whatever the reader is at', async () => {
      using pair = await makePair();
      const sent = bytes(300);
      const got = startReading(pair);
      for (const [i, byte] of sent.entries()) {
        // A Unix socket has room for some 280 of these, which a thread that is kept waiting may not have read.
        if (pair.client.tryWrite(Uint8Array.of(byte)) === 0) await pair.client.write(Uint8Array.of(byte));
        if (i % 7 === 0) await turns();
      }
      await eventually(() => got.size === sent.length);
      expect(got.bytes.equals(sent)).toBe(true);
    });

    test('messages one after the other, each sent when the one before was read', async () => {
      using pair = await makePair();
      const got = startReading(pair);
      for (let i = 1; i <= 30; i++) {
        await pair.client.write('message');
        await eventually(() => got.size === 7 * i);
      }
    });

    test('bytes and a reset in one turn', async () => {
      using pair = await makePair();
      // What the peer has not read is what makes a Unix socket reset.
      await pair.server.write('unread');
      const got = startReading(pair);
      await turns();
      expect(pair.client.tryWrite(bytes(30_000))).toBe(30_000);
      reset(pair.client);
      await eventually(() => got.ending !== null);
      expect([got.ending, got.bytes.equals(bytes(30_000))]).toEqual(['ECONNRESET', true]);
    });
  });

  // Before the urgent byte, behind it, and whether FIN follows: all of it in one turn.
  test.runIf(onLinux && hasPython)('an urgent byte, whatever stands around it', async () => {
    const cases = [0, 3, 30_000].flatMap((before) =>
      [0, 3, 20_000].flatMap((after) => [true, false].map((fin) => ({ before, after, fin }))),
    );
    const readers = await Promise.all(
      cases.map(async (each) => {
        const { client, server, listener } = await tcpPair();
        listener.close();
        return { ...each, client, sent: bytes(each.before + each.after), got: start(read, server) };
      }),
    );
    await turns();
    for (const { client, sent, before } of readers) client.tryWrite(sent.subarray(0, before));
    sendUrgent(readers.map(({ client }) => client));
    for (const { client, sent, before, fin } of readers) {
      client.tryWrite(sent.subarray(before));
      if (fin) client.closeWrite();
    }
    await eventually(() =>
      readers.every(({ fin, sent, got }) => (fin ? got.ending !== null : got.size === sent.length)),
    );
    for (const { client, fin } of readers) if (!fin) client.closeWrite();
    await eventually(() => readers.every(({ got }) => got.ending !== null));
    for (const { client, sent, got } of readers) {
      expect([got.ending, got.bytes.equals(sent)]).toEqual(['FIN', true]);
      client.close();
    }
  });

  // Nobody asked for the descriptors: the kernel closes them, and the test sees that no copy is left.
  test.runIf(onLinux && hasPython)('descriptors beside the bytes of a Unix socket', async () => {
    const path = socketPath();
    using listener = await listen('unix', path);
    await using peer = startPython(SENDER_OF_DESCRIPTORS, [path]);
    using server = await listener.accept();
    const ends = openPipeEnds();
    const got = start(read, server);
    peer.tell('go');
    expect(await peer.line()).toBe('closed everywhere');
    expect(openPipeEnds()).toBeLessThanOrEqual(ends);
    await eventually(() => got.ending !== null);
    expect([got.ending, got.size]).toEqual(['FIN', 20 * 2001]);
  });
});

const SENDER_OF_DESCRIPTORS = `
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.connect(sys.argv[1])
readable, writable = os.pipe()
sys.stdin.readline()
for i in range(20):
  s.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [writable] * 4))])
  s.sendall(b'y' * 2000)
s.shutdown(socket.SHUT_WR)
os.close(writable)
print('closed everywhere' if os.read(readable, 1) == b'' else 'odd', flush=True)
`;

describe.each([
  ['tcp', tcpPair],
  ['unix', () => unixPair()],
] as const)('%s: after the FIN of one side', (_network, makePair) => {
  test.each(['read()', 'handle()'])('the other goes on for as long as it likes: %s', async (way) => {
    using pair: Pair<Socket> = await makePair();
    const atServer = start(ways[way] as (typeof ways)[string], pair.server);
    const atClient = start(ways[way] as (typeof ways)[string], pair.client);
    await pair.client.write('question');
    pair.client.closeWrite();
    await eventually(() => atServer.ending === 'FIN');
    const sent = bytes(300 * KiB);
    for (let at = 0; at < sent.length; at += 1000) {
      await pair.server.write(sent.subarray(at, at + 1000));
      if (at % 7000 === 0) await turns();
    }
    pair.server.closeWrite();
    await eventually(() => atClient.ending !== null);
    expect([String(atServer.bytes), atClient.ending]).toEqual(['question', 'FIN']);
    expect(atClient.bytes.equals(sent)).toBe(true);
  });
});
