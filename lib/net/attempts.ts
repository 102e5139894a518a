// Happy eyeballs as node:net has it: one address after the other, each with a time of its own, and the
// first that connects is the socket's.

import type { Family } from './address';
import { bindLocal, connectAtOnceError, connectError, connected, type Target } from './connect';
import { aggregateError, connectionTimeout, type SystemError } from './errors';
import type { Handle } from './handle';
import { kSignal, kTakeHandle } from './internals';
import { connectEntry } from './perf';
import type { Socket } from './socket';
import { ECANCELED, ETIMEDOUT } from './status';
import { StreamHandle } from './stream-handle';

interface Plan {
  port: number;
  localPort?: number | undefined;
  /** Milliseconds for each address but the last. */
  timeout: number;
}

export class Attempts {
  private current = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly errors: SystemError[] = [];

  constructor(
    private readonly socket: Socket,
    private readonly addresses: readonly { address: string; family: Family }[],
    private readonly plan: Plan,
  ) {
    socket.autoSelectFamilyAttemptedAddresses = [];
  }

  /** The next address; without one, or cancelled, the socket fails with all that was met. */
  next(cancelled = false): void {
    clearTimeout(this.timer);
    const { socket, addresses, current, errors } = this;
    if (socket[kSignal]) return;
    if (cancelled || current === addresses.length) {
      return void socket.destroy(errors.length === 0 ? connectionTimeout() : aggregateError(errors));
    }
    this.current++;
    if (current > 0) this.renewHandle();
    const { port, localPort } = this.plan;
    this.attempt({ ...(addresses[current] as { address: string; family: Family }), port, localPort }, current);
  }

  private renewHandle(): void {
    const { socket } = this;
    socket._handle?.close();
    socket[kTakeHandle](new StreamHandle(true, 0));
  }

  private attempt(target: Target, which: number): void {
    const { socket, errors } = this;
    const { address, port, family } = target;
    const handle = socket._handle as Handle;
    const unbound = bindLocal(handle, target);
    if (unbound !== null) {
      errors.push(unbound);
      return this.next();
    }
    socket.emit('connectionAttempt', address, port, family);
    socket.autoSelectFamilyAttemptedAddresses?.push(`${address}:${port}`);
    const status = handle.connect(address, port, family, (outcome) => this.done(target, which, outcome));
    if (status < 0) return this.failed(target, connectAtOnceError(handle, target, status));
    if (which < this.addresses.length - 1) {
      this.timer = setTimeout(() => this.timedOut(target, handle), this.plan.timeout);
    }
  }

  private timedOut(target: Target, handle: Handle): void {
    const { address, port, family } = target;
    this.socket.emit('connectionAttemptTimeout', address, port, family);
    this.errors.push(connectError(target, ETIMEDOUT));
    handle.abandonConnect();
    handle.close();
    if (this.socket.connecting) this.next();
  }

  private done(target: Target, which: number, status: number): void {
    clearTimeout(this.timer);
    // Another address has its turn already, and this one's handle is closed.
    if (status === 0 && which !== this.current - 1) return;
    if (status !== 0) return this.failed(target, connectError(target, status), status === ECANCELED);
    const entry = connectEntry(target.address, target.port);
    connected(this.socket);
    entry?.finish();
  }

  private failed(target: Target, error: SystemError, cancelled = false): void {
    this.errors.push(error);
    this.socket.emit('connectionAttemptFailed', target.address, target.port, target.family, error);
    if (this.socket.connecting) this.next(cancelled);
  }
}
