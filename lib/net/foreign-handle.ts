// A handle of the caller's making: an object with some of the methods of libuv's. It is asked what
// libuv's would be asked; bytes it has no way to give or take.

import type { AddressInfo } from './address';
import type { Handle, StreamOwner } from './handle';
import { EBADF, EINVAL } from './status';

type Method = ((...args: unknown[]) => unknown) | null | undefined;
/** The methods that are called, where they are there. */
type Face = Partial<Record<Called, Method>>;
type Called =
  | 'readStart'
  | 'readStop'
  | 'setNoDelay'
  | 'setKeepAlive'
  | 'getsockname'
  | 'getpeername'
  | 'getAsyncId'
  | 'ref'
  | 'unref'
  | 'hasRef'
  | 'reset'
  | 'close';

export class ForeignHandle implements Handle {
  owner: StreamOwner | null = null;
  reading = false;
  readonly id = -1;
  readonly isTCP = true;
  readonly fd = -1;
  readonly bytesRead = 0;
  readonly bytesWritten = 0;
  readonly writeQueueSize = 0;

  constructor(private readonly face: Face) {}

  getAsyncId(): number {
    return Number(this.ask('getAsyncId') ?? -1);
  }

  readStart(): number {
    this.reading = true;
    return this.status('readStart');
  }

  readStop(): number {
    this.reading = false;
    return this.status('readStop');
  }

  setNoDelay(on: boolean): number {
    return this.status('setNoDelay', on);
  }

  setKeepAlive(on: boolean, delay: number): number {
    return this.status('setKeepAlive', on, delay);
  }

  getsockname(): AddressInfo | null {
    return this.describe('getsockname');
  }

  getpeername(): AddressInfo | null {
    return this.describe('getpeername');
  }

  ref(): void {
    this.ask('ref');
  }

  unref(): void {
    this.ask('unref');
  }

  hasRef(): boolean {
    return this.ask('hasRef') === true;
  }

  bindTo(): number {
    return EINVAL;
  }

  connect(): number {
    return EINVAL;
  }

  connectPath(_path: string, done: (status: number) => void): number {
    setImmediate(done, EINVAL);
    return 0;
  }

  abandonConnect(): void {}

  setDeadline(): void {}

  write(): number {
    return EBADF;
  }

  shutdown(done: (status: number) => void): void {
    setImmediate(done, EBADF);
  }

  reset(onClosed: () => void): number {
    return this.status('reset', onClosed);
  }

  close(onClosed?: () => void): void {
    if (typeof this.face.close === 'function') this.ask('close', onClosed);
    else if (onClosed !== undefined) setImmediate(onClosed);
  }

  private ask(name: Called, ...args: unknown[]): unknown {
    return this.face[name]?.call(this.face, ...args);
  }

  private status(name: Called, ...args: unknown[]): number {
    return Number(this.ask(name, ...args) ?? 0);
  }

  private describe(name: 'getsockname' | 'getpeername'): AddressInfo | null {
    const out = {} as AddressInfo;
    return typeof this.face[name] === 'function' && this.status(name, out) === 0 ? out : null;
  }
}
