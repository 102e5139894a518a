// sendAcked(): frames from memory that the caller gets back at a known time.

import { pipe } from 'spliceway';
import { FramedConn, type FramedConnOptions } from 'spliceway/codec';
import { describe, expect, test } from 'vitest';
import { bytes, KiB } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { eventually, turns } from '../support/time.ts';

// Nothing is buffered on a pipe: a write lasts until it is read.
function framed(options?: FramedConnOptions): [FramedConn, FramedConn] {
  const [a, b] = pipe();
  return [new FramedConn(a, options), new FramedConn(b)];
}

const body = bytes(10 * KiB);

describe('sendAcked()', () => {
  test.each([0, 5, body.length])('goes from buffering to sending to done with a body of %s bytes', async (n) => {
    const [sender, receiver] = framed();
    const sent = sender.sendAcked(7, body.subarray(0, n));
    expect(sent.state).toBe('buffering');
    await turns();
    expect(sent.state).toBe('sending');
    expect(await receiver.receive()).toEqual({ command: 7, body: body.subarray(0, n) });
    await sent.done;
    expect(sent.state).toBe('done');
    expect(sender.bufferedBytes).toBe(0);
  });

  test('keeps its place among other frames', async () => {
    const [sender, receiver] = framed();
    const calls = [sender.send(1, 'one'), sender.sendAcked(2, body).done, sender.send(3, body), sender.send(4, 'four')];
    for (const command of [1, 2, 3, 4]) expect((await receiver.receive())?.command).toBe(command);
    await Promise.all(calls);
  });

  test('a frame that waits behind a write is taken back by its deadline, and may be sent again', async () => {
    const [sender, receiver] = framed();
    const first = sender.send(1, 'blocks');
    await turns();
    const buffered = sender.bufferedBytes;
    const own = Buffer.from(body);
    const late = sender.sendAcked(2, own, { deadline: Date.now() + 10 });
    const last = sender.send(3, 'after it');
    expect(await caught(late.done)).toMatchObject({
      op: 'send',
      timeout: true,
      code: 'ERR_SPLICEWAY_DEADLINE_EXCEEDED',
    });
    expect(late.state).toBe('idle');
    expect(sender.bufferedBytes).toBe(buffered + 12 + 'after it'.length);
    own.fill(0); // is the caller's again, and nobody reads it
    expect((await receiver.receive())?.command).toBe(1);
    expect((await receiver.receive())?.command).toBe(3);
    await Promise.all([first, last]);
    const again = sender.sendAcked(2, body);
    expect((await receiver.receive())?.body).toEqual(body);
    await again.done;
  });

  test('a frame that waits for room is taken back by its signal', async () => {
    const [sender, receiver] = framed({ maxBuffered: 100 });
    const first = sender.send(1, 'a'.repeat(80));
    const stop = new AbortController();
    const waiting = sender.sendAcked(2, body, { signal: stop.signal });
    const third = sender.sendAcked(3, body);
    expect([waiting.state, third.state]).toEqual(['buffering', 'buffering']);
    stop.abort(new Error('enough'));
    await expect(waiting.done).rejects.toThrow('enough');
    expect(waiting.state).toBe('idle');
    expect((await receiver.receive())?.command).toBe(1);
    expect((await receiver.receive())?.command).toBe(3);
    await Promise.all([first, third.done]);
  });

  test('what is taken back makes room for those that wait for it', async () => {
    const [sender, receiver] = framed({ maxBuffered: 11 * KiB });
    sender.cork();
    const stop = new AbortController();
    const taken = sender.sendAcked(1, body, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await caught(taken.done);
    expect(sender.bufferedBytes).toBe(0);
    await sender.flush(); // with nothing in it
    const next = sender.send(2, body);
    expect((await receiver.receive())?.command).toBe(2);
    await next;
  });

  test('a frame that is being written is not taken back: it is done late', async () => {
    const [sender, receiver] = framed();
    const stop = new AbortController();
    const sent = sender.sendAcked(1, body, { deadline: Date.now() + 20, signal: stop.signal });
    await turns();
    expect(sent.state).toBe('sending');
    stop.abort();
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(sent.state).toBe('sending');
    expect((await receiver.receive())?.body).toEqual(body);
    await sent.done;
    expect(sent.state).toBe('done');
  });

  test.each([
    ['that is being written', turns],
    ['that waits', async () => {}],
  ])('a frame %s is idle when the connection is closed', async (_, before) => {
    const [sender] = framed();
    const sent = sender.sendAcked(1, body);
    await before();
    sender.close();
    await eventually(() => sent.state === 'idle');
    expect(await caught(sent.done)).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
    const later = sender.sendAcked(1, body);
    expect(later.state).toBe('idle');
    expect(await caught(later.done)).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
  });

  test('is idle where maxBuffered refuses it, and where it comes too late', async () => {
    const [sender] = framed({ maxBuffered: 200, whenFull: 'error' });
    void sender.send(1, 'a'.repeat(80));
    const full = sender.sendAcked(2, body);
    expect(full.state).toBe('idle');
    expect(await caught(full.done)).toMatchObject({ code: 'ERR_SPLICEWAY_BUFFER_FULL' });
    const late = sender.sendAcked(2, Buffer.alloc(1), { deadline: 1 });
    expect(late.state).toBe('idle');
    expect(await caught(late.done)).toMatchObject({ timeout: true });
    const aborted = sender.sendAcked(2, Buffer.alloc(1), { signal: AbortSignal.abort(new Error('no')) });
    await expect(aborted.done).rejects.toThrow('no');
    sender.close();
  });

  test('throws for wrong arguments', () => {
    const [sender] = framed();
    expect(() => sender.sendAcked(1, 'text' as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
    expect(() => sender.sendAcked(0xf0, body)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    expect(() => sender.sendAcked(1, body, 5 as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
  });
});
