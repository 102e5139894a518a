// Leaving a connection: what may be sent again moves, a share at a time; the rest may still be answered there.

import type { Link } from './link';
import type { Config } from './options';
import type { Request } from './request';

export class Drain {
  private timer: NodeJS.Timeout | null = null;
  private readonly giveUp: NodeJS.Timeout;

  /** @param move sends a request elsewhere */
  constructor(
    private readonly link: Link,
    private readonly config: Config,
    private readonly move: (request: Request) => void,
  ) {
    this.giveUp = setTimeout(() => this.close(), config.drainTimeout);
  }

  /** Begins, or goes on at once where the connection broke meanwhile: nobody answers there any more. */
  begin(): void {
    if (this.link.over) this.moveShare();
    else this.timer ??= setTimeout(() => this.moveShare(), this.config.drainPace);
  }

  /** What cannot be sent again has no answer to hope for. */
  linkLost(reason: string): void {
    for (const request of this.link.underWay) if (!request.idempotent) request.lose(reason);
  }

  stop(): void {
    this.stopMoving();
    clearTimeout(this.giveUp);
  }

  private stopMoving(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  // The next move is set before this one: moving the last request stops the drain.
  private moveShare(): void {
    this.stopMoving();
    const movable = [...this.link.underWay].filter((request) => request.idempotent);
    const share = Math.ceil(movable.length * this.config.drainShare);
    if (share < movable.length) this.timer = setTimeout(() => this.moveShare(), this.config.drainPace);
    for (const request of movable.slice(0, share)) {
      this.link.drop(request);
      this.move(request);
    }
  }

  private close(): void {
    this.linkLost('its connection was left, and no answer came in time');
    for (const request of [...this.link.underWay]) {
      this.link.drop(request);
      this.move(request);
    }
  }
}
