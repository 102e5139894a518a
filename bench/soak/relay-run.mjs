// One relay from the traffic's side: its two ends, and a verdict on each of its two transfers.

import { setTimeout as sleep } from 'node:timers/promises';
import { End } from './end.mjs';

const LIMIT = 30_000;
// Half of the proxy's idle timeout, in milliseconds.
const SOON = 100;

export class RelayRun {
  #ends = {};
  #isCut = false;
  #over;
  /** Milliseconds that this process took to connect and say which relay it is. */
  headAfter = Number.POSITIVE_INFINITY;

  /**
   * @param socket the client's, already connecting to the proxy
   * @param cutAtProxy ('abort' or 'close') has the proxy end this relay
   */
  constructor(plan, content, socket, cutAtProxy) {
    Object.assign(this, { plan, content, cutAtProxy });
    this.#over = new Promise((resolve) => {
      this.onOver = resolve;
    });
    this.#open('client', socket);
  }

  /** The proxy has connected to the target, and said for which client; some bytes may have come with that. */
  onTarget(socket, bytes) {
    this.#open('target', socket);
    if (bytes.length > 0) this.#ends.target.take(bytes);
    this.#cutIfDue();
  }

  /** Resolves to the verdicts, once both ends are closed. */
  async verdicts() {
    const late = new AbortController();
    const timer = sleep(LIMIT, true, { signal: late.signal }).catch(() => false);
    const stalled = await Promise.race([timer, this.#over]);
    late.abort();
    const verdicts = { up: this.#verdict('target', stalled), down: this.#verdict('client', stalled) };
    for (const { socket } of Object.values(this.#ends)) socket.destroy();
    return verdicts;
  }

  #open(side, socket) {
    const { plan, content } = this;
    const [sends, expects] = side === 'client' ? [plan.up, plan.down] : [plan.down, plan.up];
    const end = new End(socket, content, {
      sends,
      expects,
      waits: plan.order !== null && plan.order !== side,
      slow: plan.slow === side || plan.slow === 'both',
      keepsOpen: plan.idle,
      onReceived: () => this.#cutIfDue(),
    });
    this.#ends[side] = end;
    socket.once('close', () => this.#onClose());
    end.begin();
  }

  #onClose() {
    const { client, target } = this.#ends;
    if (client?.socket.closed && (target?.socket.closed || this.#neverBegan)) this.onOver(false);
  }

  // This process stood still, and the proxy gave the relay up as idle before it had said anything.
  get #neverBegan() {
    return this.plan.idle && this.#ends.target === undefined && this.headAfter > SOON;
  }

  // Not before both ends are known, so that what came of both can be told.
  #cutIfDue() {
    const { cut } = this.plan;
    const { client, target } = this.#ends;
    if (cut === null || this.#isCut || target === undefined) return;
    if (this.#ends[cut.watch].received < cut.received) return;
    this.#isCut = true;
    if (cut.by === 'client resets') client.reset();
    else if (cut.by === 'target resets') target.reset();
    else if (cut.by === 'client leaves') client.leave();
    else if (cut.by === 'target leaves') target.leave();
    else this.cutAtProxy(cut.by);
  }

  /** Of the transfer to this end: whether all came, and what was not as planned. */
  #verdict(side, stalled) {
    const end = this.#ends[side];
    if (end === undefined) {
      return { bytes: 0, whole: false, wrong: this.#neverBegan ? null : 'the proxy did not come to the target' };
    }
    const { received: bytes, whole } = end;
    const asPlanned = whole || this.plan.cut !== null || this.plan.idle;
    return { bytes, whole, wrong: stalled ? this.#stalled(end) : asPlanned ? end.wrong : this.#complaint(end) };
  }

  #complaint({ wrong, error, ended, received, expects }) {
    return wrong ?? `${error?.message ?? (ended ? 'a FIN' : 'no FIN')} after ${received} of ${expects.bytes} bytes`;
  }

  #stalled({ received, expects }) {
    const open = Object.keys(this.#ends).filter((side) => !this.#ends[side].socket.closed);
    return `after ${LIMIT / 1000} s ${received} of ${expects.bytes} bytes had come, and open were: ${open.join(', ')}`;
  }
}
