// A request from its call to its one end.

import type { Body } from '../../codec/outbox';
import { Pending } from '../../pending';
import { timedOut, UnknownOutcomeError } from './errors';
import type { Link } from './link';
import type { ClientRequestOptions } from './options';

export type Ending = 'results' | 'errors' | 'unknown';

const OVER = new Error('nobody waits for an answer any more');

export class Request extends Pending<Buffer> {
  /** The connection that is to answer it. */
  link: Link | null = null;
  /** How often it was sent. */
  sends = 0;
  settled = false;
  readonly command: number;
  readonly idempotent: boolean;
  private readonly timer: NodeJS.Timeout;
  private readonly over = new AbortController();

  /** @param onEnd is called once, before it settles */
  constructor(
    readonly body: Body,
    { command = 0, idempotent = false, signal }: ClientRequestOptions,
    timeout: number,
    private readonly onEnd: (request: Request, ending: Ending) => void,
  ) {
    super();
    this.command = command;
    this.idempotent = idempotent;
    this.timer = setTimeout(() => this.expire(), timeout);
    if (signal !== undefined) this.abortOn(signal, () => this.end('errors'));
  }

  /** Aborted when nobody waits for an answer any more. */
  get givenUp(): AbortSignal {
    return this.over.signal;
  }

  succeed(body: Buffer): void {
    if (this.end('results')) this.resolve(body);
  }

  refuse(error: unknown): void {
    if (this.end('errors')) this.fail(error);
  }

  /** What became of it nobody can know. */
  lose(reason: string, timeout = false): void {
    if (this.end('unknown')) this.fail(new UnknownOutcomeError(reason, timeout));
  }

  // One that may be sent again is as if it had not been sent.
  private expire(): void {
    if (this.sends > 0 && !this.idempotent) this.lose('no answer came in time', true);
    else this.refuse(timedOut());
  }

  private end(ending: Ending): boolean {
    if (this.settled) return false;
    this.settled = true;
    clearTimeout(this.timer);
    this.link?.drop(this);
    this.onEnd(this, ending);
    // Where there is one answer to come, and it came, nobody listens.
    if (ending !== 'results' || this.sends > 1) this.over.abort(OVER);
    return true;
  }
}
