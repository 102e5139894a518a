// The health of a plain TCP stream, which has no PINGs: what the kernel knows is looked at now and then.

import { type NativeMonitor, native } from '../binding';
import { checkObject } from '../check';
import { MAX_TIMER } from '../deadline';
import { invalidType } from '../errors';
import { checkKeepAlive, type KeepAliveConfig, TCPConn } from '../tcp-conn';
import { Health } from './health';
import { type HealthOptions, type HealthSettings, settingsOf, wordsOf } from './options';
import { Sampling } from './sampling';

export interface WatchOptions extends HealthOptions {
  /**
   * Keep-alive probes, by which the kernel notices that the peer of an idle stream is gone. Default: after
   * `interval` of silence, one a second for `replyCap`, both in whole seconds. False: as the connection has them.
   */
  keepAlive?: KeepAliveConfig | false | undefined;
  /**
   * Has the kernel end the connection when sent bytes stay unacknowledged for so many milliseconds:
   * `setUserTimeout()`. It also ends a healthy peer whose window stays closed that long. Default: not set.
   */
  userTimeout?: number | undefined;
}

/** The health of a plain stream. */
export class StreamHealth extends Health implements Disposable {
  /** @internal */
  constructor(private readonly watcher: Watcher) {
    super(watcher);
    watcher.begin(this);
  }

  /** Looks no more. The figures stay as they are. Closing the connection does this, too. */
  stop(): void {
    this.watcher.stop();
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}

/**
 * Judges a TCP connection by what the kernel knows of it, without a byte sent or read: round trips and their
 * variance, retransmissions, losses, what is not acknowledged. A stream that is idle is not ill. It neither
 * keeps the process alive nor the connection from being collected.
 * @throws TypeError, RangeError: for options that are wrong; OpError: the connection is closed
 */
export function watch(conn: TCPConn, options: WatchOptions = {}): StreamHealth {
  if (!(conn instanceof TCPConn)) throw invalidType('conn', 'an instance of TCPConn', conn);
  checkObject('options', options);
  const settings = settingsOf(options);
  const { keepAlive, userTimeout } = options;
  if (keepAlive !== undefined && keepAlive !== false) checkKeepAlive('options.keepAlive', keepAlive);
  if (userTimeout !== undefined) conn.setUserTimeout(userTimeout);
  const watcher = new Watcher(conn, settings, keepAlive);
  return new StreamHealth(watcher);
}

class Watcher {
  private readonly monitor: NativeMonitor;
  private readonly sampling: Sampling;
  // Its timer must not keep a connection that nobody has any more.
  private readonly conn: WeakRef<TCPConn>;
  private timer: NodeJS.Timeout | null = null;
  private stoppedAt: number | null = null;
  private health: Health | null = null;

  constructor(
    conn: TCPConn,
    private readonly settings: HealthSettings,
    private readonly keepAlive: KeepAliveConfig | false | undefined,
  ) {
    this.conn = new WeakRef(conn);
    this.sampling = new Sampling(conn.info());
    this.applyKeepAlive(conn, settings.interval);
    this.monitor = native.makeMonitor(wordsOf(settings), performance.now(), Math.random() * 2 ** 32);
  }

  begin(health: Health): void {
    this.health = health;
    this.arm();
  }

  figures(words: Float64Array): void {
    native.monitorFigures(this.monitor, words, this.stoppedAt ?? performance.now());
  }

  setInterval(milliseconds: number): void {
    const conn = this.conn.deref();
    if (conn !== undefined && conn.state !== 'closed') this.applyKeepAlive(conn, milliseconds);
    native.setMonitorInterval(this.monitor, milliseconds, performance.now());
    this.arm();
  }

  stop(): void {
    this.stoppedAt ??= performance.now();
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private look(now: number): void {
    try {
      const info = this.conn.deref()?.info();
      if (info === undefined) this.stop();
      else native.sampleMonitor(this.monitor, this.sampling.look(info), now);
    } catch {
      this.stop(); // it was closed, or given away
    }
  }

  // By default the probes are over when the model says so too.
  private applyKeepAlive(conn: TCPConn, interval: number): void {
    if (this.keepAlive === false) return;
    const idle = Math.max(Math.ceil(interval), 1);
    const count = Math.max(Math.min(Math.floor(this.settings.replyCap / 1000), 127), 1);
    conn.setKeepAliveConfig(this.keepAlive ?? { enable: true, idle, interval: 1000, count });
  }

  private arm(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    const due = native.monitorDue(this.monitor);
    if (this.stoppedAt !== null || due === Number.POSITIVE_INFINITY) return;
    const left = Math.ceil(due - performance.now());
    this.timer = setTimeout(() => this.turn(), Math.min(Math.max(left, 1), MAX_TIMER));
    this.timer.unref();
  }

  private turn(): void {
    const now = performance.now();
    if (native.advanceMonitor(this.monitor, now)) this.look(now);
    this.arm();
    this.health?.tell(native.takeTransitions(this.monitor, now));
  }
}
