// What outlives a Conn that was forgotten: the id of its descriptor, so that it can be closed.

import { fromNative } from './addr';
import { type AddressTuple, native } from './binding';

/** Who is told that a connection has closed: a Server counts its own. */
export interface HandleOwner {
  /** A function of the caller that served this connection threw. */
  handlerFailed?(error: unknown, conn: object): void;
  handleClosed(handle: Handle): void;
}

/**
 * The method by which a connection is told its owner; it answers with its handle. Wrappers pass the
 * call on to the connection they wrap.
 */
export const ownedBy: unique symbol = Symbol('spliceway.ownedBy');

/** Who has a connection's descriptor in its place, and closes it. */
export interface Heir {
  close(): void;
}

/** Two owners of one connection, as when a Server serves what a limit counts. */
class Owners implements HandleOwner {
  constructor(
    private readonly first: HandleOwner,
    private readonly second: HandleOwner,
  ) {}

  // Whoever minds it; a method would say that somebody does.
  get handlerFailed(): HandleOwner['handlerFailed'] {
    const minding = [this.second, this.first].find((owner) => owner.handlerFailed !== undefined);
    return minding === undefined ? undefined : (error, conn) => minding.handlerFailed?.(error, conn);
  }

  handleClosed(handle: Handle): void {
    this.first.handleClosed(handle);
    this.second.handleClosed(handle);
  }
}

export class Handle {
  owner: HandleOwner | null = null;
  /** What can still be asked of one that closed without its Conn; see closeUnseen(). */
  addresses: { local: AddressTuple | undefined; peer: AddressTuple | undefined } | null = null;
  private heir: Heir | null = null;

  /** @param id of the native handle; -1 once it is closed */
  constructor(public id: number) {}

  close(): void {
    if (this.heir !== null) return this.heir.close();
    native.close(this.forget());
    this.owner?.handleClosed(this);
  }

  /** Gives up the descriptor, which stays open and is the caller's. */
  detach(): number {
    const fd = native.detach(this.forget());
    this.owner?.handleClosed(this);
    return fd;
  }

  /**
   * Gives up the descriptor to somebody who has the connection's place with its owner: the owner closes
   * the heir, and is told when that has closed.
   */
  bequeath(heir: Heir): number {
    this.heir = heir;
    return native.detach(this.forget());
  }

  heirClosed(): void {
    this.heir = null;
    this.owner?.handleClosed(this);
  }

  private forget(): number {
    const { id } = this;
    this.id = -1;
    return id;
  }

  /** One more owner. */
  ownBy(owner: HandleOwner): void {
    this.owner = this.owner === null ? owner : new Owners(this.owner, owner);
  }

  /** For a Conn that is out of reach, and that somebody may hold all the same. */
  closeUnseen(): void {
    try {
      this.addresses = { local: native.localAddr(this.id), peer: native.peerAddr(this.id) };
    } catch {
      // A descriptor that the kernel no longer knows as a socket: it prints as unnamed.
    }
    this.close();
  }
}

let collected = 0;

/** How many connections were closed because they were collected while open. */
export function collectedCount(): number {
  return collected;
}

// A Conn that is unreachable and waits for nothing can never be closed by its owner.
const registry = new FinalizationRegistry<Handle>((handle) => {
  if (handle.id < 0) return;
  if (collected++ > 0) return handle.close();
  handle.closeUnseen();
  warn(handle);
});

function warn({ addresses }: Handle): void {
  const ends = [addresses?.local, addresses?.peer];
  const name = ends.map((tuple) => (tuple === undefined ? '?' : fromNative(tuple, 'unix'))).join('->');
  process.emitWarning(`A connection (${name}) was collected while open. Call close() or shutdown() on each Conn.`, {
    type: 'SplicewayWarning',
    code: 'SPLICEWAY_CONN_COLLECTED',
  });
}

/** Closes the handle when `owner` is collected. */
export function closeWithOwner(owner: object, handle: Handle): void {
  registry.register(owner, handle);
}
