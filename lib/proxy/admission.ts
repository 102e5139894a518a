// Who is let in: so many connections in all, and from each source.

import type { ProxyRejectReason } from './events';
import type { Settings } from './options';

export class Admission {
  /** Connections that are in. */
  taken = 0;
  private readonly bySource = new Map<string, number>();

  constructor(private readonly limits: Pick<Settings, 'maxConnections' | 'maxPerSource'>) {}

  /** Null for a connection that is in from now on; else why not. An empty source has no limit of its own. */
  enter(source: string): ProxyRejectReason | null {
    const { maxConnections, maxPerSource } = this.limits;
    const ofSource = this.bySource.get(source) ?? 0;
    if (maxConnections > 0 && this.taken >= maxConnections) return 'maxConnections';
    if (maxPerSource > 0 && source !== '') {
      if (ofSource >= maxPerSource) return 'maxPerSource';
      this.bySource.set(source, ofSource + 1);
    }
    this.taken++;
    return null;
  }

  leave(source: string): void {
    this.taken--;
    const left = (this.bySource.get(source) ?? 0) - 1;
    if (left > 0) this.bySource.set(source, left);
    else this.bySource.delete(source);
  }
}
