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

export class Handle {
  owner: HandleOwner | null = null;
  /** What can still be asked of one that closed without its Conn; see closeUnseen(). */
  addresses: { local: AddressTuple | undefined; peer: AddressTuple | undefined } | null = null;

  /** @param id of the native handle; -1 once it is closed */
  constructor(public id: number) {}

  close(): void {
    native.close(this.forget());
    this.owner?.handleClosed(this);
  }

  /** Gives up the descriptor, which stays open and is the caller's. */
  detach(): number {
    const fd = native.detach(this.forget());
    this.owner?.handleClosed(this);
    return fd;
  }

  private forget(): number {
    const { id } = this;
    this.id = -1;
    return id;
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
