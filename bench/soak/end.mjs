// One end of a relay: sends its own bytes, checks those that come, and notes how it ended.

const PAUSE_AT_FIRST = 300;
const PAUSE = 2;

export class End {
  received = 0;
  /** Whether a FIN has come. */
  ended = false;
  error = null;
  /** What was wrong with the bytes, in words. */
  wrong = null;

  /**
   * @param sends and @param expects flows of a plan
   * @param waits with sending, for the other end's FIN
   */
  constructor(socket, content, { sends, expects, waits, slow, keepsOpen, onReceived }) {
    Object.assign(this, { socket, content, sends, expects, waits, slow, keepsOpen, onReceived });
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('data', (chunk) => this.take(chunk));
    socket.on('end', () => this.#onEnd());
    socket.on('error', (error) => {
      this.error ??= error;
    });
  }

  /** Whether all came, and nothing else. */
  get whole() {
    return this.wrong === null && this.error === null && this.ended && this.received === this.expects.bytes;
  }

  begin() {
    if (this.slow) this.#rest(PAUSE_AT_FIRST);
    if (!this.waits) this.#send(0);
  }

  take(chunk) {
    const { place, bytes } = this.expects;
    const at = this.content.firstWrong(place + this.received, chunk);
    if (at >= 0) this.wrong ??= `byte ${this.received + at} is wrong`;
    this.received += chunk.length;
    if (this.received > bytes) this.wrong ??= `${this.received} bytes came`;
    if (this.slow) this.#rest(PAUSE);
    this.onReceived();
  }

  reset() {
    this.socket.resetAndDestroy();
  }

  leave() {
    this.socket.destroy();
  }

  #rest(ms) {
    this.socket.pause();
    setTimeout(() => this.socket.resume(), ms);
  }

  #onEnd() {
    this.ended = true;
    if (this.waits) this.#send(0);
    else if (this.keepsOpen) this.socket.end();
  }

  // One piece after the other. The socket keeps what the kernel has no room for: no memory is taken by that.
  #send(piece) {
    if (this.socket.destroyed) return;
    const { bytes, place, pieces, gap } = this.sends;
    if (piece === pieces) {
      if (!this.keepsOpen) this.socket.end();
      return;
    }
    const boundary = (i) => Math.floor((bytes * i) / pieces);
    for (let i = boundary(piece); i < boundary(piece + 1); ) {
      const part = this.content.at(place + i, boundary(piece + 1) - i);
      this.socket.write(part);
      i += part.length;
    }
    if (gap === 0) this.#send(piece + 1);
    else setTimeout(() => this.#send(piece + 1), gap);
  }
}
