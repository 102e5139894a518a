// One end of a connection with a heartbeat, ours or as mostly written: { port, state, send(bytes) }. The port tells which
// connection it is. send() says whether the bytes were taken; with others waiting to leave they are not.

import { FramedConn } from 'spliceway/codec';

const PING = 1;
const PONG = 2;
// Of our own by default, beyond the interval.
const PATIENCE = 8000;
const MISSES = 3;

class FramedEnd {
  #framed;
  #full = false;

  constructor(conn, port, heartbeat) {
    this.port = port;
    this.#framed = new FramedConn(conn, { heartbeat });
    // What is lost says so in its state.
    this.#framed.onFrames(() => {}, { error: () => {} });
  }

  get state() {
    return this.#framed.health.state;
  }

  send(bytes) {
    if (this.#full) return false;
    this.#full = true;
    const sent = () => {
      this.#full = false;
    };
    // One that has failed takes no more.
    this.#framed.send(1, bytes).then(sent, () => {});
    return true;
  }
}

// Over node:net with timers: PINGs and PONGs of a byte each, everything that is heard counts as life.
class TimerEnd {
  #socket;
  #isLost;
  #full = false;

  constructor(socket, port, interval, isLost) {
    this.port = port;
    this.state = 'healthy';
    this.unanswered = 0;
    this.heardAt = performance.now();
    this.#socket = socket.setNoDelay();
    this.#isLost = isLost;
    const timer = setInterval(() => this.#beat(), interval);
    socket.on('data', (chunk) => this.#hear(chunk)).on('drain', () => this.#drained());
    socket.on('error', () => {}).on('close', () => clearInterval(timer));
  }

  #beat() {
    if (this.#isLost(this)) {
      this.state = 'lost';
      this.#socket.destroy();
    } else {
      this.unanswered++;
      this.#socket.write(Buffer.of(PING));
    }
  }

  #hear(chunk) {
    this.unanswered = 0;
    this.heardAt = performance.now();
    if (chunk.includes(PING)) this.#socket.write(Buffer.of(PONG));
  }

  #drained() {
    this.#full = false;
  }

  send(bytes) {
    if (this.#full || this.#socket.destroyed) return false;
    this.#full = !this.#socket.write(bytes);
    return true;
  }
}

/** (conn, port) => end, by implementation. */
export function makesOf(interval) {
  const heartbeat = { interval, stalledAfter: interval };
  const missed = ({ unanswered }) => unanswered >= MISSES;
  const silent = ({ heardAt }) => performance.now() - heardAt > interval + PATIENCE;
  return {
    spliceway: (conn, port) => new FramedEnd(conn, port, heartbeat),
    misses: (socket, port) => new TimerEnd(socket, port, interval, missed),
    silence: (socket, port) => new TimerEnd(socket, port, interval, silent),
  };
}
