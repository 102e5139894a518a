// Where new connections come from: those that borrowers wait for, and those that are kept idle.

import { asError } from '../errors';
import { Connector, closeQuietly, type Made } from './connector';
import { type Endpoint, type EndpointHealth, Endpoints } from './endpoints';
import type { Entry } from './entry';
import type { Config, Poolable } from './options';
import { Refill } from './refill';
import type { Stock } from './stock';

/** What connections are wanted for. */
export interface Demand<T> {
  /** Borrowers that wait and to whom no idle connection is about to go. */
  readonly unserved: number;
  /** A new connection is there. */
  arrived(entry: Entry<T>): void;
  /** None came; `short`: those that are still on their way are too few for all who wait. */
  failed(error: unknown, short: boolean): void;
}

export class Supply<T extends Poolable, E> {
  /** Connections that are being made. */
  connecting = 0;
  private readonly endpoints: Endpoints<E>;
  private readonly connector: Connector<T, E>;
  private readonly refill: Refill | null;
  private stopped = false;

  constructor(
    private readonly config: Config<T, E>,
    private readonly stock: Stock<T>,
    private readonly demand: Demand<T>,
  ) {
    this.endpoints = this.makeEndpoints(config);
    this.connector = new Connector(config, this.endpoints);
    this.refill = config.minIdle > 0 ? new Refill(() => this.fill()) : null;
  }

  private makeEndpoints({ endpoints, ejectAfter, ejectTime, standby }: Config<T, E>): Endpoints<E> {
    const list = endpoints ?? [undefined as E];
    // Without another way borrowers go on trying, and nobody needs to do it for them.
    const otherWay = list.length > 1 || standby !== undefined;
    const ejection = { after: ejectAfter, time: ejectTime };
    return new Endpoints(list, ejection, otherWay ? (endpoint) => this.probe(endpoint) : null);
  }

  /** No endpoint is up. */
  get down(): boolean {
    return this.endpoints.down;
  }

  get health(): EndpointHealth<E>[] {
    return this.endpoints.health;
  }

  /** Makes as many connections as are wanted and may be had. */
  meetDemand(): void {
    while (this.demand.unserved > this.connecting && this.hasRoom) void this.open(null);
    if (this.stock.idle.size < this.config.minIdle) this.refill?.soon();
  }

  /** A connection was lent that had idled. */
  wasUseful(): void {
    if (this.refill === null) return;
    this.refill.succeeded();
    if (this.stock.idle.size < this.config.minIdle) this.refill.soon();
  }

  /** A connection came to nothing before it was lent: making more of them can wait. */
  wasInVain(): void {
    this.refill?.failed();
  }

  /** Makes connections until so many idle. */
  async warmUp(count: number): Promise<void> {
    const length = Math.max(this.missing(count), 0);
    const errors = await Promise.all(Array.from({ length }, () => this.open(null)));
    const failed = errors.find((error) => error !== null);
    if (failed !== undefined) throw failed;
  }

  /** Keeps none idle from now on. */
  stopRefilling(): void {
    this.refill?.stop();
  }

  stop(): void {
    this.stopped = true;
    this.stopRefilling();
    this.connector.stop();
    this.endpoints.stop();
  }

  private get hasRoom(): boolean {
    return this.stock.all.size + this.connecting < this.config.maxOpen;
  }

  /** How many connections are to be made for so many to idle. */
  private missing(count: number): number {
    const { all, idle } = this.stock;
    const onTheirWay = Math.max(this.connecting - this.demand.unserved, 0);
    return Math.min(count - idle.size - onTheirWay, this.config.maxOpen - all.size - this.connecting);
  }

  private fill(): void {
    for (let missing = this.missing(this.config.minIdle); missing > 0; missing--) void this.open(null);
  }

  private probe(endpoint: Endpoint<E>): void {
    if (this.hasRoom) void this.open(endpoint);
    else endpoint.probeLater();
  }

  /** Resolves to what went wrong; null if nothing did. */
  private async open(endpoint: Endpoint<E> | null): Promise<Error | null> {
    this.connecting++;
    let made: Made<T, E>;
    try {
      made = await this.connector.connect(endpoint);
    } catch (error) {
      this.connecting--;
      if (!this.stopped) this.openFailed(error);
      return asError(error);
    }
    this.connecting--;
    this.opened(made);
    return null;
  }

  private opened({ conn, endpoint }: Made<T, E>): void {
    if (!this.stopped) return this.demand.arrived(this.stock.add(conn, endpoint));
    endpoint.open--;
    closeQuietly(conn);
  }

  private openFailed(error: unknown): void {
    this.stock.counters.connectErrors++;
    const short = this.demand.unserved > this.connecting;
    if (!short) this.refill?.failed();
    this.demand.failed(error, short);
  }
}
