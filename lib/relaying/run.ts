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

export abstract class RelayRun implements RelayProgress {
  private readonly started = performance.now();
  protected readonly conns: Readonly<Record<Side, Conn>>;
  private resolve!: (result: RelayResult) => void;
  private reject!: (reason: unknown) => void;
  private stopTelling = () => {};
  private readonly onAbort = () => this.abort();

  constructor(
    a: Conn,
    b: Conn,
    protected readonly options: RelayOptions,
  ) {
    this.conns = { a, b };
  }

  /** Bytes that b has taken from a. */
  abstract readonly aToB: number;
  abstract readonly bToA: number;

  /** Both connections are this relay's: bytes may move. */
  protected abstract begin(): void;
  /** Ends in aborted(), once nothing moves any more. */
  protected abstract abort(): void;

  /** Both connections are claimed. */
  run(): Promise<RelayResult> {
    const promise = new Promise<RelayResult>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Such as a client that a server's shutdown has closed while its upstream was being dialed.
    const closed = SIDES.find((side) => this.conns[side].state === 'closed');
    if (closed !== undefined) this.ended('closed', closed, this.errorAt(closed, 'read', ErrClosed));
    else this.take();
    return promise;
  }

  private take(): void {
    const { options } = this;
    options.signal?.addEventListener('abort', this.onAbort, { once: true });
    const total = () => this.aToB + this.bToA;
    this.stopTelling = tellProgress(options, total, () => ({ aToB: this.aToB, bToA: this.bToA }));
    this.begin();
  }

  protected errorAt(side: Side, op: 'read' | 'write', cause: Error): OpError {
    const conn = this.conns[side];
    return asOpError(op, conn, conn instanceof SocketConn ? conn.error(op, cause) : cause);
  }

  /** It is over; nothing moves any more. */
  protected ended(reason: Reason, endedBy: Side | null, error: OpError | null): void {
    this.release();
    const { aToB, bToA } = this;
    this.resolve({ reason, endedBy, error, aToB, bToA, duration: performance.now() - this.started });
  }

  protected aborted(): void {
    this.release();
    this.reject(this.options.signal?.reason);
  }

  private release(): void {
    this.options.signal?.removeEventListener('abort', this.onAbort);
    this.stopTelling();
    for (const conn of Object.values(this.conns)) {
      if (conn instanceof SocketConn) conn.busy = false;
      conn.close();
    }
  }
}
