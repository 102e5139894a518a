// Counts frames with the decoder in JavaScript alone, in `for await`. Chunks of node:net's are memory of their own, so
// a body is a part of one.

import { createServer } from 'node:net';
import { addressesGiven, listenAndAnnounce } from './address.mjs';
import { FrameDecoder } from './frame-decoder.mjs';
import { Tally } from './tally.mjs';

const [address] = addressesGiven(1, 'node-frames-await.mjs host:port');

/** Frames one by one; nothing is read while there are some at hand. */
class Frames {
  #chunks;
  #decoder;
  #frames = [];
  #next = 0;
  #chunk;

  constructor(socket) {
    // The other kind destroys the socket at the end, before it was answered.
    this.#chunks = socket.iterator({ destroyOnReturn: false });
    this.#decoder = new FrameDecoder((command, memory, at, length) => {
      const body = memory.subarray(at, at + length);
      // What was put together from two chunks lies in memory that is used again.
      this.#frames.push({ command, body: memory === this.#chunk ? body : Buffer.from(body) });
    });
  }

  // By hand: an async generator costs more.
  [Symbol.asyncIterator]() {
    return { next: () => (this.#next < this.#frames.length ? Promise.resolve(this.#take()) : this.#more()) };
  }

  #take() {
    return { value: this.#frames[this.#next++], done: false };
  }

  async #more() {
    this.#frames = [];
    this.#next = 0;
    while (this.#frames.length === 0) {
      const { value, done } = await this.#chunks.next();
      if (done) return { value: undefined, done };
      this.#chunk = value;
      this.#decoder.feed(value, value.length);
    }
    return this.#take();
  }
}

async function count(socket) {
  const tally = new Tally((text) => socket.write(text));
  socket.on('error', () => socket.destroy());
  for await (const { body } of new Frames(socket)) tally.add(body.length);
  tally.end();
  socket.end();
}

listenAndAnnounce(createServer({ allowHalfOpen: true, noDelay: true }, count), address);
