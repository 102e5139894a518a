// Proxy: connections that come to a listener, each forwarded to one of several targets.

import { inspect } from 'node:util';
import type { Addr } from '../addr';
import type { Conn } from '../conn';
import { rethrowLater } from '../dispatch';
import { asError } from '../errors';
import { listen } from '../listen';
import type { Listener } from '../listener';
import type { StreamNetwork } from '../network';
import type { ProxyListener } from '../proxy-protocol/listener';
import { type Server, type ShutdownResult, serve } from '../serve';
import { Admission } from './admission';
import { Destinations } from './destinations';
import { type ProxyEvent, type ProxyStats, REJECTIONS } from './events';
import { type ProxyOptions, settingsOf } from './options';
import { Session, type Shared } from './session';

/**
 * Forwards each connection of a listener to one of its targets, in the kernel where it can (see
 * {@link relay}). It connects to the target first and reads nothing from the client before; a target
 * that cannot be connected to is passed over. No client and no target can end it.
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: what it is; whoever needs both imports it under another name
export class Proxy implements AsyncDisposable {
  private readonly shared: Shared;
  private readonly destinations: Destinations;
  private readonly admission: Admission;
  private readonly server: Server;
  private readonly running = new Map<Session, Promise<void>>();
  private readonly rejected = Object.fromEntries(REJECTIONS.map((each) => [each, 0])) as ProxyStats['rejected'];
  private total = 0;

  /**
   * Listens, and forwards from then on.
   * @param network `tcp`, `tcp4`, `tcp6`, `unix` or `unixpacket`
   * @param address as listen() takes it
   * @throws TypeError, RangeError (as rejections); OpError: `op: 'listen'`, or `op: 'dial'` for a target
   *   whose text is no address
   */
  static async listen(network: StreamNetwork, address: string, options: ProxyOptions): Promise<Proxy> {
    settingsOf(options);
    return new Proxy(await listen(network, address, options.listen), options);
  }

  /** Forwards what comes to a listener, which is the proxy's from now on. */
  constructor(
    private readonly listener: Listener,
    private readonly options: ProxyOptions,
  ) {
    const settings = settingsOf(options);
    this.destinations = new Destinations(settings);
    this.admission = new Admission(settings);
    this.shared = {
      settings,
      destinations: this.destinations,
      tell: (event) => this.tell(event),
      countRejection: (reason) => this.rejected[reason]++,
      left: (session) => this.left(session),
    };
    const { onEvent, signal } = options;
    const onError = (error: unknown) => this.tell({ type: 'error', error: asError(error) });
    this.server = serve(listener, (conn) => this.accepted(conn), {
      onError: onEvent === undefined ? undefined : onError,
      signal,
    });
  }

  /** The address it listens on, with the real port; still there afterwards. */
  get addr(): Addr {
    return this.listener.addr;
  }

  /** What it has counted up to now. */
  get stats(): ProxyStats {
    const targets = this.destinations.stats;
    return {
      active: this.admission.taken,
      total: this.total,
      bytesToTargets: targets.reduce((sum, { bytesToTarget }) => sum + bytesToTarget, 0),
      bytesToClients: targets.reduce((sum, { bytesToClients }) => sum + bytesToClients, 0),
      rejected: { ...this.rejected },
      proxyHeaders: proxyHeadersOf(this.listener),
      targets,
    };
  }

  /**
   * Accepts what queues, closes the listener, and waits for the connections to end. Those that are
   * there after `timeout` milliseconds (default 5000) are closed.
   */
  async shutdown(options: { timeout?: number | undefined } = {}): Promise<ShutdownResult> {
    const result = await this.server.shutdown(options);
    await Promise.allSettled(this.running.values());
    return result;
  }

  /** Closes the listener and every connection at once. True for the call that closed the listener. */
  close(): boolean {
    return this.server.close();
  }

  /** shutdown() */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /** @internal */
  [inspect.custom](): string {
    return `Proxy { ${this.addr}, ${this.admission.taken} active }`;
  }

  private accepted(client: Conn): Promise<void> | undefined {
    const session = new Session(++this.total, client, this.shared);
    const refused = this.admission.enter(session.sourceIP);
    if (refused !== null) {
      session.reject(refused);
      return undefined;
    }
    const running = session.run();
    this.running.set(session, running);
    return running;
  }

  private left(session: Session): void {
    this.admission.leave(session.sourceIP);
    this.running.delete(session);
  }

  private tell(event: ProxyEvent): void {
    try {
      this.options.onEvent?.(event);
    } catch (mistake) {
      // What the event is about must not be left half-done for it.
      rethrowLater(mistake);
    }
  }
}

function proxyHeadersOf(listener: Listener & Partial<Pick<ProxyListener, 'rejected'>>): ProxyStats['proxyHeaders'] {
  return listener.rejected === undefined ? null : { ...listener.rejected };
}
