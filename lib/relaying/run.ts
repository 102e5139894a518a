// What every relay does, whoever moves its bytes: it takes both connections, and ends once.

import type { Conn } from '../conn';
import { asOpError, ErrBusy, ErrClosed, type OpError } from '../errors';
import { tellProgress } from '../progress';
import type { RelayOptions, RelayProgress, RelayResult } from '../relay';
import { SocketConn } from '../stream/socket-conn';

export type Side = 'a' | 'b';

const SIDES = ['a', 'b'] as const;

export const other = (side: Side): Side => (side === 'a' ? 'b' : 'a');

type Reason = RelayResult['reason'];

/** No other call may have, or get, the connections from now on, but close(). @throws where one has */
export function claim(a: Conn, b: Conn): void {
  const sockets = [a, b].filter((conn) => conn instanceof SocketConn && conn.state !== 'closed') as SocketConn[];
  for (const conn of sockets) {
    const refused = conn.refusal('read') ?? (conn.reads === null ? null : conn.error('read', ErrBusy));
    if (refused !== null) throw refused;
  }
  for (const conn of sockets) conn.busy = true;
}

/** Where a relay's outcome goes. */
export interface Settle {
  settle(result: RelayResult): void;
  refuse(reason: unknown): void;
}

export abstract class RelayRun implements RelayProgress {
  private readonly started = performance.now();
  private stopTelling: (() => void) | null = null;
  private onAbort: (() => void) | null = null;

  constructor(
    protected readonly a: Conn,
    protected readonly b: Conn,
    protected readonly options: RelayOptions,
    private readonly outcome: Settle,
  ) {}

  /** Bytes that b has taken from a. */
  abstract readonly aToB: number;
  abstract readonly bToA: number;

  /** Both connections are this relay's: bytes may move. */
  protected abstract begin(): void;
  /** Ends in aborted(), once nothing moves any more. */
  protected abstract abort(): void;

  /** Both connections are claimed. */
  run(): void {
    // Such as a client that a server's shutdown has closed while its upstream was being dialed.
    const closed = SIDES.find((side) => this.conn(side).state === 'closed');
    if (closed !== undefined) return this.ended('closed', closed, this.errorAt(closed, 'read', ErrClosed));
    const { signal, onProgress } = this.options;
    if (signal !== undefined) this.abortOn(signal);
    if (onProgress !== undefined) this.tell();
    this.begin();
  }

  private abortOn(signal: AbortSignal): void {
    this.onAbort = () => this.abort();
    signal.addEventListener('abort', this.onAbort, { once: true });
  }

  private tell(): void {
    const total = () => this.aToB + this.bToA;
    this.stopTelling = tellProgress(this.options, total, () => ({ aToB: this.aToB, bToA: this.bToA }));
  }

  protected conn(side: Side): Conn {
    return side === 'a' ? this.a : this.b;
  }

  protected errorAt(side: Side, op: 'read' | 'write', cause: Error): OpError {
    const conn = this.conn(side);
    return asOpError(op, conn, conn instanceof SocketConn ? conn.error(op, cause) : cause);
  }

  /** It is over; nothing moves any more. */
  protected ended(reason: Reason, endedBy: Side | null, error: OpError | null): void {
    this.release();
    const { aToB, bToA } = this;
    this.outcome.settle({ reason, endedBy, error, aToB, bToA, duration: performance.now() - this.started });
  }

  protected aborted(): void {
    this.release();
    this.outcome.refuse(this.options.signal?.reason);
  }

  private release(): void {
    if (this.onAbort !== null) this.options.signal?.removeEventListener('abort', this.onAbort);
    this.stopTelling?.();
    for (const conn of [this.a, this.b]) {
      if (conn instanceof SocketConn) conn.busy = false;
      conn.close();
    }
  }
}
