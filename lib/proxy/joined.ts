// A client and the target that answered, while bytes pass between them.

import type { Conn } from '../conn';
import { type Relaying, type RelayResult, relay } from '../relay';
import type { Upstream } from './connecting';
import type { Client, Shared } from './session';

const SIDES = { a: 'client', b: 'target' } as const;

export class Joined {
  readonly relaying: Relaying;

  constructor(
    private readonly client: Client,
    conn: Conn,
    private readonly upstream: Upstream,
    private readonly connectTime: number,
    private readonly shared: Shared,
  ) {
    const { id, source } = client;
    const { target } = upstream;
    shared.tell({ type: 'connect', id, source, target: target.name, connectTime });
    this.relaying = relay(conn, upstream.conn, shared.settings.relay);
    target.joined(this.relaying);
  }

  /** However it has ended; again, and nothing happens. */
  part(): void {
    this.upstream.target.parted(this.relaying);
    this.upstream.conn.close();
  }

  end({ reason, endedBy, error, aToB, bToA, duration }: RelayResult): void {
    this.part();
    const { id, source } = this.client;
    this.shared.tell({
      type: 'end',
      id,
      source,
      target: this.upstream.target.name,
      connectTime: this.connectTime,
      reason,
      endedBy: endedBy === null ? null : SIDES[endedBy],
      error,
      bytesToTarget: aToB,
      bytesToClient: bToA,
      duration,
    });
  }
}
