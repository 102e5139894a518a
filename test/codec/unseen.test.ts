// Bodies whose memory is taken away by whoever received them: all that comes after them is whole.

import { buffer } from 'node:stream/consumers';
import { type ReadableByteStreamController, ReadableStream } from 'node:stream/web';
import { type Conn, pipe } from 'spliceway';
import { Decoder, FramedConn, type Framing, lengthPrefix, lines, MessageConn } from 'spliceway/codec';
import { afterEach, describe, expect, test } from 'vitest';
import { bytes } from '../support/bytes.ts';
import { tcpPair } from '../support/pair.ts';
import { frameOf, streamOf } from './frames.ts';

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function tcp(): Promise<[Conn, Conn]> {
  const pair = await tcpPair();
  cleanups.push(() => pair[Symbol.dispose]());
  return [pair.client, pair.server];
}

/** A stream of bytes, which detaches the memory of what it is given. */
function byteStream(): [stream: ReadableStream, controller: ReadableByteStreamController] {
  let controller: ReadableByteStreamController | undefined;
  const stream = new ReadableStream({
    type: 'bytes',
    start: (made) => {
      controller = made;
    },
  });
  return [stream, controller as ReadableByteStreamController];
}

function detach(body: Buffer): void {
  byteStream()[1].enqueue(body);
  expect(body.buffer.byteLength).toBe(0);
}

// Sizes around every limit: some have memory of their own, some are many in a piece, and one is a piece's last.
const SIZES = [1, 5, 64, 65, 300, 999, 1023, 1024, 5000, ...Array(300).fill(40), ...Array(60).fill(700), 3];
const bodies = SIZES.map((n, i) => bytes(n, i));
const frames = bodies.map((body) => ({ command: 1, body }));

async function* bodiesOf(framed: FramedConn): AsyncGenerator<Buffer> {
  for await (const { body } of framed) yield body;
}

const hex = bodies.map((body) => Buffer.from(body.toString('hex')));
const prefixed = (body: Buffer) => Buffer.concat([Buffer.from([body.length >> 8, body.length & 0xff]), body]);
const ended = (body: Buffer) => Buffer.concat([body, Buffer.from('\n')]);
const messages = (framing: () => Framing) => (conn: Conn) => new MessageConn(conn, framing());

const makes: [string, Buffer[], (bodies: Buffer[]) => Buffer, (conn: Conn) => AsyncIterable<Buffer>][] = [
  ['FramedConn', bodies, () => streamOf(frames), (conn) => bodiesOf(new FramedConn(conn))],
  ['MessageConn', bodies, (all) => Buffer.concat(all.map(prefixed)), messages(() => lengthPrefix({ lengthBytes: 2 }))],
  ['MessageConn of lines', hex, (all) => Buffer.concat(all.map(ended)), messages(lines)],
];

describe.each(makes)('%s', (_name, sent, wire, receive) => {
  test('gives bodies that may be enqueued on a byte stream', async () => {
    const [a, b] = await tcp();
    const all = wire(sent);
    void a.write(all).then(() => a.close());
    const [stream, controller] = byteStream();
    const lengths: number[] = [];
    for await (const body of receive(b)) {
      lengths.push(body.length);
      controller.enqueue(body);
    }
    controller.close();
    expect(lengths).toEqual(sent.map((body) => body.length));
    expect((await buffer(stream)).equals(Buffer.concat(sent))).toBe(true);
  });
});

test('a body that is detached before the next receive() takes nothing along', async () => {
  const [a, b] = pipe();
  void a.write(streamOf(frames));
  const framed = new FramedConn(b);
  for (const [i, expected] of bodies.entries()) {
    const body = (await framed.receive())?.body as Buffer;
    expect(body.equals(expected)).toBe(true);
    if (i % 7 === 0) detach(body);
  }
});

test('requests, responses and what Buffer.from() gives are apart from a request that is detached', async () => {
  const [a, b] = pipe();
  const client = new FramedConn(a, { session: true });
  const server = new FramedConn(b, { session: true });
  server.onRequest(({ body }) => {
    const response = Buffer.from(body);
    detach(body);
    return response;
  });
  const responses = await Promise.all(bodies.map((body) => client.request(1, body)));
  for (const [i, body] of responses.entries()) {
    expect(body.equals(bodies[i] as Buffer)).toBe(true);
    detach(body);
  }
  expect(Buffer.from('pooled').toString()).toBe('pooled');
});

test('memory that bodies share holds nothing of other connections', async () => {
  const secret = 'of another connection';
  const one = streamOf(Array(100).fill({ command: 1, body: secret.repeat(30) }));
  for (const body of new Decoder().decode(one)) expect(body.body.includes(secret)).toBe(true);
  for (const count of [2, 8, 30]) {
    const [a, b] = pipe();
    void a.write(Buffer.concat(Array(count).fill(frameOf(1, bytes(200)))));
    const framed = new FramedConn(b);
    for (let i = 0; i < count; i++) {
      const body = (await framed.receive())?.body as Buffer;
      expect(Buffer.from(body.buffer).includes(secret)).toBe(false);
    }
  }
});
