// One client of a proxy, from its first byte to its last.

import type { Addr } from '../addr';
import type { Conn } from '../conn';
import { ErrUntrustedHeader, type OpError } from '../errors';
import { writeProxyHeader } from '../proxy-protocol/format';
import { type PeekableConn, peekClientHello } from '../tls-hello/peek';
import type { Group } from './balance';
import { connect, type Dialing, type Upstream } from './connecting';
import type { Destinations } from './destinations';
import type { ProxyEvent, ProxyRejectReason } from './events';
import { Joined } from './joined';
import type { Settings } from './options';
import type { Target } from './target';
import { ClientWatch } from './watching';

/** Who a client is, in events. */
export interface Client {
  readonly id: number;
  readonly source: Addr;
}

/** What the sessions of a proxy have in common. */
export interface Shared {
  readonly settings: Settings;
  readonly destinations: Destinations;
  tell(event: ProxyEvent): void;
  countRejection(reason: ProxyRejectReason): void;
  /** That client is no more. */
  left(session: Session): void;
}

export class Session implements Dialing {
  private readonly about: Client;
  /** What the last attempt to connect met. */
  private dialError: OpError | null = null;

  constructor(
    id: number,
    private readonly client: Conn,
    private readonly shared: Shared,
  ) {
    this.about = { id, source: client.remoteAddr };
  }

  /** What limits and hashes go by; empty where the client has no address of its own. */
  get sourceIP(): string {
    const { source } = this.about;
    return 'ip' in source ? source.ip : '';
  }

  /** Rejects for nothing that a peer does. The client is closed afterwards. */
  async run(): Promise<void> {
    let joined: Joined | null = null;
    try {
      joined = await this.join();
      // Nothing else waits while the two are joined: there may be tens of thousands.
      if (joined !== null) joined.end(await joined.relaying);
    } finally {
      joined?.part();
      this.shared.left(this);
    }
  }

  reject(reason: ProxyRejectReason, error: Error | null = null): void {
    this.client.close();
    this.shared.countRejection(reason);
    this.shared.tell({ type: 'reject', ...this.about, reason, error });
  }

  private async join(): Promise<Joined | null> {
    const group = await this.route();
    if (group === null) return null;
    const since = performance.now();
    const upstream = await this.connect(group);
    if (upstream === null) return null;
    return new Joined(this.about, this.client, upstream, performance.now() - since, this.shared);
  }

  private async route(): Promise<Group | null> {
    const { destinations } = this.shared;
    try {
      const name = destinations.areNamed ? await this.askedName() : null;
      const group = destinations.find(name);
      if (group === null) this.reject('noRoute');
      return group;
    } catch (error) {
      // Whoever reads PROXY headers has counted this client already.
      if ((error as OpError).cause !== ErrUntrustedHeader)
        this.reject(this.whyNoHello(error as OpError), error as OpError);
      return null;
    }
  }

  /** What a TLS client asks for, whose ClientHello stays where it is. */
  private async askedName(): Promise<string | null> {
    const { client } = this;
    if (!('peek' in client)) return null;
    const hello = await peekClientHello(client as PeekableConn, { timeout: this.shared.settings.helloTimeout });
    return hello?.sni ?? null;
  }

  private whyNoHello({ timeout }: OpError): ProxyRejectReason {
    if (timeout) return 'noHello';
    return this.client.state === 'closed' ? 'closed' : 'clientGone';
  }

  private async connect(group: Group): Promise<Upstream | null> {
    const watch = new ClientWatch(this.client);
    const upstream = await connect(group.candidates(this.sourceIP), this, watch.signal);
    watch.end();
    if (upstream !== null) return upstream;
    if (this.client.state === 'closed') this.reject('closed');
    else if (watch.isGone) this.reject('clientGone');
    else this.reject('noTarget', this.dialError);
    return null;
  }

  // What connecting asks for.

  get options(): Settings['dial'] {
    return this.shared.settings.dial;
  }

  async greet(conn: Conn): Promise<void> {
    const { sendProxyHeader: format } = this.shared.settings;
    if (format !== null) await writeProxyHeader(conn, this.client, format);
  }

  attemptFailed(target: Target, error: OpError): void {
    this.dialError = error;
    this.shared.tell({ type: 'dialFailed', ...this.about, target: target.name, error });
  }

  wentDown({ name, health }: Target, error: OpError): void {
    const { failures, retryIn } = health;
    this.shared.tell({ type: 'targetDown', target: name, error, failures, retryIn });
  }

  cameUp({ name }: Target, downFor: number): void {
    this.shared.tell({ type: 'targetUp', target: name, downFor });
  }
}
