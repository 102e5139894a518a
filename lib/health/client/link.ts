// A connection of a HealingClient, and the requests that were sent on it last.

import { asError } from '../../errors';
import type { Carrier } from './carrier';
import type { Request } from './request';
import type { Site } from './site';

export interface LinkOwner {
  /** Traffic should move to another one. */
  linkAiling(link: Link, reason: string): void;
  /** It is over. What was under way stays so for its owner to see to, when linkGone() is told. */
  linkLost(link: Link, reason: string): void;
  /** No answers come any more, as soon after linkLost() as that is known. */
  linkGone(link: Link, reason: string): void;
  /** A request that was sent on it may go elsewhere. */
  linkRefused(link: Link, request: Request): void;
  /** The last request that was under way is no more. */
  linkIdle(link: Link): void;
}

export class Link {
  readonly since = performance.now();
  readonly underWay = new Set<Request>();
  over = false;
  private stopWatching: (() => void) | null = null;

  constructor(
    readonly carrier: Carrier,
    readonly site: Site,
    private readonly owner: LinkOwner,
  ) {}

  /** Tells its owner from now on. */
  watch(): void {
    const { health, ended } = this.carrier;
    ended.then((reason) => this.lost(reason));
    if (health === null) return;
    this.stopWatching = health.onTransition(({ to, healing, reason }) => {
      if (to === 'lost') this.judgedLost(reason);
      else if (healing) this.owner.linkAiling(this, reason);
    });
    // Of what happened before nobody tells.
    if (health.state === 'lost') this.judgedLost('the connection is lost');
    else if (health.healing)
      this.owner.linkAiling(this, `the connection is ${health.state}, its score ${health.score}`);
  }

  carry(request: Request): void {
    request.link = this;
    request.sends++;
    this.underWay.add(request);
    this.ask(request).then(
      // It may have moved meanwhile: the first answer counts.
      (body) => request.succeed(body),
      (error: unknown) => this.failed(request, error),
    );
  }

  // Async, so that what throws rejects.
  private async ask({ command, body, givenUp: signal }: Request): Promise<Buffer> {
    return this.carrier.request(command, body, { signal });
  }

  private failed(request: Request, error: unknown): void {
    if (request.settled || request.link !== this) return;
    const verdict = this.carrier.verdict(error);
    if (verdict === 'failed') request.refuse(error);
    else if (verdict === 'unsent') this.owner.linkRefused(this, request);
    else this.lost(asError(error).message);
  }

  /** A request is over, or goes elsewhere. */
  drop(request: Request): void {
    request.link = null;
    if (this.underWay.delete(request) && this.underWay.size === 0) this.owner.linkIdle(this);
  }

  private lost(reason: string): void {
    if (this.over) return;
    this.end();
    this.carrier.close();
    this.owner.linkLost(this, reason);
    this.owner.linkGone(this, reason);
  }

  // What had arrived by then is yet to be read, and answers may be among it.
  private judgedLost(reason: string): void {
    if (this.over) return;
    this.end();
    this.owner.linkLost(this, reason);
    setImmediate(() => {
      this.carrier.close();
      this.owner.linkGone(this, reason);
    });
  }

  /** Nothing more is told. */
  private end(): void {
    this.over = true;
    this.stopWatching?.();
  }

  async shutdown(timeout: number): Promise<void> {
    this.end();
    await this.carrier.shutdown({ timeout }).catch(() => {});
    this.carrier.close();
  }

  close(): void {
    this.end();
    this.carrier.close();
  }
}
