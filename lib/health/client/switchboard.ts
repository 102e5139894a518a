// Which connection carries what: the active one, those that stand by, and those that are being left.

import { rethrowLater } from '../../dispatch';
import type { Carrier } from './carrier';
import { Drain } from './drain';
import type { ClientEvent } from './events';
import { Link, type LinkOwner } from './link';
import type { Config } from './options';
import { Queue } from './queue';
import type { Request } from './request';
import type { Site } from './site';
import { Supply, type SupplyOwner } from './supply';

export class Switchboard implements LinkOwner, SupplyOwner {
  active: Link | null = null;
  readonly standbys: Link[] = [];
  readonly draining = new Map<Link, Drain>();
  readonly waiting = new Queue();
  readonly counts = { resent: 0, switches: 0, connects: 0, connectsFailed: 0 };
  private readonly supply: Supply;
  private closed = false;

  constructor(private readonly config: Config) {
    this.supply = new Supply(config, this);
    this.supply.meetDemand();
  }

  dispatch(request: Request): void {
    if (!this.send(request)) this.waiting.add(request);
  }

  private send(request: Request): boolean {
    if (this.active === null) return false;
    if (request.sends > 0) this.counts.resent++;
    this.active.carry(request);
    return true;
  }

  // From the supply.

  missing(): { count: number; urgent: boolean } {
    const urgent = this.active === null;
    return { count: (urgent ? 1 : 0) + this.config.standby - this.standbys.length, urgent };
  }

  connected(carrier: Carrier, site: Site): void {
    if (this.closed) return void carrier.close();
    const link = new Link(carrier, site, this);
    site.links++;
    this.counts.connects++;
    const role = this.active === null ? 'active' : 'standby';
    if (role === 'standby') this.standbys.push(link);
    else this.active = link;
    this.tell({ type: 'connected', endpoint: site.name, role });
    link.watch();
    this.sendWaiting();
  }

  connectFailed(site: Site, error: Error, retryIn: number): void {
    this.counts.connectsFailed++;
    this.tell({ type: 'connectFailed', endpoint: site.name, error, retryIn });
  }

  private sendWaiting(): void {
    this.waiting.release((request) => this.send(request));
  }

  // From connections.

  linkAiling(link: Link, reason: string): void {
    if (link === this.active) this.switchOver(reason);
    else if (!this.dismiss(link)) return;
    this.supply.left(link.site, link.since);
    this.leave(link);
    this.supply.meetDemand();
  }

  linkLost(link: Link, reason: string): void {
    this.tell({ type: 'lost', endpoint: link.site.name, reason });
    this.supply.left(link.site, link.since);
    if (link === this.active) this.switchOver(reason);
    else this.dismiss(link);
    this.leave(link);
    this.supply.meetDemand();
  }

  linkGone(link: Link, reason: string): void {
    this.draining.get(link)?.linkLost(reason);
  }

  // The peer takes none any more, so nobody may go on sending there.
  linkRefused(link: Link, request: Request): void {
    this.linkAiling(link, 'the peer takes no more requests');
    link.drop(request);
    // It is as if it had not been sent.
    request.sends = 0;
    this.dispatch(request);
  }

  linkIdle(link: Link): void {
    const drain = this.draining.get(link);
    if (drain === undefined) return;
    drain.stop();
    this.draining.delete(link);
    link.site.links--;
    if (!link.over) void link.shutdown(this.config.drainTimeout);
    this.tell({ type: 'drained', endpoint: link.site.name });
  }

  private switchOver(reason: string): void {
    const from = this.active as Link;
    this.active = this.standbys.shift() ?? null;
    this.counts.switches++;
    this.tell({ type: 'switched', from: from.site.name, to: this.active?.site.name ?? null, reason });
    this.sendWaiting();
  }

  /** Whether it stood by. */
  private dismiss(link: Link): boolean {
    const at = this.standbys.indexOf(link);
    if (at >= 0) this.standbys.splice(at, 1);
    return at >= 0;
  }

  private leave(link: Link): void {
    if (this.draining.has(link)) return this.draining.get(link)?.begin();
    const drain = new Drain(link, this.config, (request) => this.dispatch(request));
    this.draining.set(link, drain);
    if (link.underWay.size === 0) this.linkIdle(link);
    else drain.begin();
  }

  // The end.

  /** Every connection that there is. */
  private get links(): Link[] {
    return [...(this.active === null ? [] : [this.active]), ...this.standbys, ...this.draining.keys()];
  }

  /** Makes no more connections, and closes those that there are when nothing is under way on them. */
  async shutdown(timeout: number): Promise<void> {
    this.closed = true;
    this.supply.close();
    await Promise.all(this.links.map((link) => link.shutdown(timeout)));
  }

  close(): void {
    this.closed = true;
    this.supply.close();
    for (const drain of this.draining.values()) drain.stop();
    for (const link of this.links) link.close();
    this.active = null;
    this.standbys.length = 0;
    this.draining.clear();
  }

  private tell(event: ClientEvent): void {
    try {
      this.config.onEvent?.(event);
    } catch (mistake) {
      rethrowLater(mistake);
    }
  }
}
