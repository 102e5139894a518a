// Endpoints: what the names of a scenario stand for.

import { spliceway } from './library.mjs';

/** A listener, a connection, a packet connection, or an address that nobody answers at. */
export class Endpoint {
  /**
   * @param net the network as it was given to dial or listen, which Go's errors name
   * @param inner what a limiting listener wraps: Go sets options and deadlines there
   */
  constructor(object, net, { inner = object, limited = false } = {}) {
    this.object = object;
    this.net = net;
    this.inner = inner;
    this.limited = limited;
  }

  get isListener() {
    return typeof this.object.accept === 'function';
  }

  /** Anything that is read from and written to. */
  get isConn() {
    return typeof this.object.write === 'function';
  }

  get isPipe() {
    return this.localAddr?.network === 'pipe';
  }

  get isTCP() {
    return this.isConn && this.localAddr?.network === 'tcp';
  }

  get isUDP() {
    return this.isConn && this.localAddr?.network === 'udp';
  }

  get isUnix() {
    return this.isConn && /^unix/.test(this.localAddr?.network);
  }

  get localAddr() {
    return this.object.addr ?? this.object.localAddr ?? null;
  }

  get remoteAddr() {
    return this.object.remoteAddr ?? null;
  }

  /** An error with the addresses that Go gives to those of this type. */
  error(op, cause) {
    const { OpError } = spliceway;
    return this.isListener
      ? new OpError(op, this.net, null, this.localAddr, cause)
      : new OpError(op, this.net, this.localAddr, this.remoteAddr, cause);
  }

  /** close(), with Go's error for one that was closed already. */
  close() {
    if (this.object.close() === false && !this.isPipe) throw this.error('close', spliceway.ErrClosed);
  }

  /** At the end of a scenario: without waiting for anything. */
  discard() {
    try {
      if (this.isTCP && !this.limited) this.object.setLinger(0);
    } catch {
      // Closed before.
    }
    this.object.close?.();
  }
}
