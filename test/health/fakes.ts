// Connections whose health and answers a test decides.

import type { Carrier, CarrierHealth, CarrierTransition, ConnectContext, Verdict } from 'spliceway/health';

export interface Asked {
  readonly text: string;
  readonly signal: AbortSignal;
  answer(text: string): void;
  fail(error: Error): void;
}

/** What a broken connection rejects with; the other verdicts have a name. */
export class Verdicted extends Error {
  constructor(readonly verdict: Verdict) {
    super(`it says: ${verdict}`);
  }
}

export class FakeCarrier implements Carrier {
  readonly asked: Asked[] = [];
  closed = false;
  shutDown = false;
  state: CarrierHealth['state'] = 'healthy';
  healing = false;
  score = 1;
  /** Answers at once, with what it was asked. */
  echoes = true;
  readonly ended: Promise<string>;
  private end!: (reason: string) => void;
  private readonly listeners = new Set<(change: CarrierTransition) => void>();

  constructor(readonly context: ConnectContext) {
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
    this.health = this.watched();
  }

  get endpoint(): unknown {
    return this.context.endpoint;
  }

  readonly health: CarrierHealth;

  private watched(): CarrierHealth {
    const state = () => this.state;
    const healing = () => this.healing;
    const score = () => this.score;
    const { listeners } = this;
    return {
      get state() {
        return state();
      },
      get healing() {
        return healing();
      },
      get score() {
        return score();
      },
      onTransition(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
  }

  request(_command: number, body: Uint8Array | string, { signal }: { signal: AbortSignal }): Promise<Buffer> {
    const text = String(body);
    return new Promise((resolve, reject) => {
      const answer = (answered: string) => resolve(Buffer.from(answered));
      this.asked.push({ text, signal, answer, fail: reject });
      if (this.echoes) answer(text);
    });
  }

  verdict(error: unknown): Verdict {
    return error instanceof Verdicted ? error.verdict : 'unknown';
  }

  async shutdown(): Promise<void> {
    this.shutDown = true;
  }

  close(): void {
    this.closed = true;
  }

  /** The peer is gone: every request fails, and the connection ends. */
  break(reason = 'connection reset by peer'): void {
    for (const { fail } of this.asked) fail(new Error(reason));
    this.end(reason);
  }

  become(to: CarrierHealth['state'], healing: boolean, reason = `it is ${to}`): void {
    this.state = to;
    this.healing = healing;
    for (const listener of [...this.listeners]) listener({ to, healing, reason });
  }

  get watchers(): number {
    return this.listeners.size;
  }
}

/** A `connect` hook, and all that it has made. */
export function fakeNetwork() {
  const made: FakeCarrier[] = [];
  return {
    made,
    get last(): FakeCarrier {
      return made.at(-1) as FakeCarrier;
    },
    connect: async (context: ConnectContext) => {
      const carrier = new FakeCarrier(context);
      made.push(carrier);
      return carrier;
    },
  };
}
