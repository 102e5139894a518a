// A listener behind a balancer: its connections are handed out as those of the clients that their
// PROXY headers tell of.
//
//   take()     while somebody waits for a connection, takes one after the other
//   admit()    trusted: its header is read first, beside those of many others; else it goes on at once
//   deliver()  to whoever waits longest, or to be kept for the next

import { inspect } from 'node:util';
import { checkFunction, checkObject, signalOf } from '../check';
import type { CallOptions, Conn } from '../conn';
import type { Deadline } from '../deadline';
import { ErrClosed, ErrDeadlineExceeded, invalidValue, type OpError } from '../errors';
import { type Acceptor, type Drainable, isDrainable, type Listener } from '../listener';
import { ListenerWrapper } from '../listener-wrapper';
import { checked, rejected } from '../pending';
import type { Guard } from '../stream/guard';
import { SocketConn } from '../stream/socket-conn';
import { type ProxyHeader, ProxyHeaderError, type ProxyHeaderProblem } from './header';
import { type ProxyProtocolOptions, type Settings, settingsOf } from './options';
import { looksLikeHeader, SIGNATURE } from './parse';
import { readHeader } from './reading';

/**
 * How many connections were closed before anybody had them, or, of `untrusted`, before anybody had a
 * byte of them.
 */
export interface ProxyRejections {
  /** No header of the protocol, or of a version that is not accepted. */
  malformed: number;
  /** A header longer than `maxHeader`, or a line longer than 107 bytes. */
  oversized: number;
  /** Trusted, and something else than a header came. */
  missing: number;
  /** The header was not there in time. */
  timeout: number;
  /** The connection ended before its header did. */
  ended: number;
  /** Not trusted, and a header came; with `untrusted: 'close'`, not trusted. */
  untrusted: number;
}

/** A listener that reads PROXY headers. */
export interface ProxyListener<C extends Conn = Conn, L extends Listener<C> = Listener<C>> extends Listener<C> {
  /** The listener that is wrapped. */
  readonly inner: L;
  readonly rejected: Readonly<ProxyRejections>;
  /** How many connections are being read a header from, or wait to be accepted after that. */
  readonly pending: number;
}

/**
 * Wraps a listener of streams, so that connections from trusted balancers begin with a PROXY header,
 * which is taken off: `remoteAddr` is then the client's, `localAddr` what it had connected to, `peerAddr`
 * the balancer's, and `proxyHeader` has the rest. `listen(…, { proxyProtocol })` does it too.
 *
 * Connections are those of the listener that is wrapped. accept() resolves to the first whose header is
 * there; those that are slow keep nobody waiting. close() closes those that nobody has accepted yet.
 * @throws TypeError or RangeError for options that cannot be
 */
export function proxyListener<C extends Conn, L extends Listener<C> = Listener<C>>(
  listener: L & Listener<C>,
  options: ProxyProtocolOptions,
): ProxyListener<C, L> {
  checkObject('listener', listener);
  checkFunction('listener.accept', (listener as Partial<Listener>).accept);
  if ((listener as Partial<Listener>).addr?.network === 'unixpacket')
    throw invalidValue('listener', 'must be one of streams', listener);
  return new HeaderListener<C, L>(listener, settingsOf(options));
}

class HeaderListener<C extends Conn, L extends Listener<C>>
  extends ListenerWrapper<C, C, L>
  implements ProxyListener<C, L>, Drainable<C>
{
  readonly rejected: ProxyRejections = { malformed: 0, oversized: 0, missing: 0, timeout: 0, ended: 0, untrusted: 0 };
  /** Accepted below, and not known yet to be handed out. */
  private readonly reading = new Set<C>();
  private readonly ready: C[] = [];
  private taking = false;
  private stop = new AbortController();
  private stopping: NodeJS.Immediate | null = null;
  /** Who gets all connections, once the listener is about to close; and what is done then. */
  private draining: { acceptor: Acceptor<C>; done(): void } | null = null;
  private readonly guard: Guard;

  constructor(
    inner: L,
    private readonly settings: Settings,
  ) {
    super(inner);
    this.guard = {
      enough: SIGNATURE,
      refuses: looksLikeHeader,
      patience: settings.timeout,
      refused: () => {
        this.rejected.untrusted++;
      },
    };
  }

  get pending(): number {
    return this.reading.size + this.ready.length;
  }

  accept(options?: CallOptions): Promise<C> {
    let signal: AbortSignal | undefined;
    return checked(
      () => {
        signal = signalOf(options);
      },
      () => this.acceptOne(signal),
    );
  }

  private acceptOne(signal: AbortSignal | undefined): Promise<C> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (this.closed) return rejected(this.error(ErrClosed));
    if (this.timer.passed) return rejected(this.error(ErrDeadlineExceeded));
    const conn = this.ready.shift();
    return conn === undefined ? this.wait(signal) : Promise.resolve(conn);
  }

  protected lineChanged(): void {
    this.timer.wait(this.anyWaits);
    if (this.anyWaits) return this.take();
    // Not at once: whoever got a connection is likely to wait for the next one now.
    this.stopping ??= setImmediate(() => this.stopTaking());
  }

  /** A connection is taken from the kernel's queue only for somebody who waits. */
  private stopTaking(): void {
    this.stopping = null;
    if (this.anyWaits) return;
    this.stop.abort();
    this.stop = new AbortController();
  }

  private take(): void {
    if (this.taking || !this.anyWaits || this.pending >= this.settings.maxPending) return;
    this.taking = true;
    const { signal } = this.stop;
    this.inner.accept({ signal }).then(
      (conn) => {
        this.taking = false;
        this.admit(conn);
        this.take();
      },
      (error: unknown) => {
        this.taking = false;
        if (!signal.aborted) this.settleFirst((call) => call.fail(error));
        this.take();
      },
    );
  }

  private admit(conn: C): void {
    if (this.abandoned) conn.close();
    else if (this.settings.trust.has(conn.remoteAddr)) void this.read(conn);
    else if (this.settings.untrusted === 'close') this.reject(conn, 'untrusted');
    else {
      if (conn instanceof SocketConn) conn.guard = this.guard;
      this.deliver(conn);
    }
  }

  private async read(conn: C): Promise<void> {
    const { timeout, required } = this.settings;
    this.reading.add(conn);
    try {
      if (!this.referenced) keepAlive(conn, false);
      conn.setReadDeadline(Date.now() + timeout);
      this.wasRead(conn, await readHeader(conn, this.settings, required));
    } catch (error) {
      this.reject(conn, problemOf(error));
    }
    this.reading.delete(conn);
    if (this.reading.size === 0) this.draining?.done();
    this.take();
  }

  private wasRead(conn: C, header: ProxyHeader | null): void {
    if (this.abandoned) return void conn.close();
    conn.setReadDeadline(null);
    if (!this.referenced) keepAlive(conn, true);
    tell(conn, header);
    this.deliver(conn);
  }

  private reject(conn: C, why: keyof ProxyRejections): void {
    // Those that close() has closed did nothing wrong.
    if (!this.abandoned) this.rejected[why]++;
    conn.close();
  }

  private deliver(conn: C): void {
    if (this.draining !== null) return this.draining.acceptor.accepted(conn);
    if (!this.settleFirst((call) => call.resolve(conn))) this.ready.push(conn);
  }

  override close(): boolean {
    if (this.closed) this.draining?.done();
    const closed = super.close();
    if (this.abandoned) for (const conn of [...this.reading, ...this.ready.splice(0)]) conn.close();
    return closed;
  }

  /** Closed, and nobody gets what was taken before. */
  private get abandoned(): boolean {
    return this.closed && this.draining === null;
  }

  drainQueue(acceptor: Acceptor<C>): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.draining = null;
        resolve();
      };
      this.draining = { acceptor, done };
      const admitting = { accepted: (conn: C) => this.admit(conn), failed: () => {} };
      if (isDrainable(this.inner)) void this.inner.drainQueue(admitting);
      for (const conn of this.ready.splice(0)) acceptor.accepted(conn);
      if (this.reading.size === 0) done();
    });
  }

  setDeadline(t: Deadline): void {
    if (this.closed) throw ErrClosed;
    if (this.timer.set(t)) this.failLine(ErrDeadlineExceeded);
  }

  protected override reference(on: boolean): void {
    super.reference(on);
    for (const conn of this.reading) keepAlive(conn, on);
  }

  [inspect.custom](): string {
    return `ProxyListener { ${this.addr}, ${this.closed ? 'closed' : 'listening'}, ${this.pending} pending }`;
  }
}

function problemOf(error: unknown): ProxyHeaderProblem | 'timeout' | 'ended' {
  if (error instanceof ProxyHeaderError) return error.problem;
  return (error as OpError).timeout === true ? 'timeout' : 'ended';
}

/** Whether what waits on a connection keeps the process alive: a header's wait is the listener's. */
function keepAlive(conn: Conn, on: boolean): void {
  if (!(conn instanceof SocketConn)) return;
  if (on) conn.ref();
  else conn.unref();
}

/** A connection of another make has its addresses covered by those of the header. */
function tell(conn: Conn, header: ProxyHeader | null): void {
  if (conn instanceof SocketConn) return conn.forwardedFor(header);
  if (header === null) return;
  const { remoteAddr, localAddr } = conn;
  Object.defineProperties(conn, {
    peerAddr: { value: remoteAddr },
    remoteAddr: { value: header.source ?? remoteAddr },
    localAddr: { value: header.destination ?? localAddr },
    proxyHeader: { value: header },
  });
}
