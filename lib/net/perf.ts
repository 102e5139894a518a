// Entries of type `net` for PerformanceObserver: one for each TCP connect.
//
// Only Node itself can make them, and it does so for sockets of its own. So a connect of ours is told
// to a socket of Node's that has nothing underneath, and whose connect begins and ends when ours does.

import { Socket } from 'node:net';
import { PerformanceObserver } from 'node:perf_hooks';

type Complete = (status: number, handle: object, req: object, readable: boolean, writable: boolean) => void;
interface Request {
  oncomplete: Complete;
}

/** What a socket of Node's remembers the beginning of its connect by. */
const CONNECT_MARK = 'kPerfHooksNetConnectContext';

/** The part of libuv's handle that connecting asks for. */
class NoHandle {
  request: Request | null = null;
  reading = false;

  connect(request: Request): number {
    this.request = request;
    return 0;
  }

  connect6(request: Request): number {
    return this.connect(request);
  }

  readStart(): number {
    return 0;
  }

  close(done?: () => void): void {
    done?.();
  }
}

export class ConnectEntry {
  private readonly handle = new NoHandle();
  private readonly socket: Socket;

  constructor(host: string, port: number) {
    this.socket = new Socket({ handle: this.handle, manualStart: true } as object);
    this.socket.on('error', () => {});
    this.socket.connect({ host, port });
  }

  /** The connect succeeded. The socket of Node's begins in the next tick, if it has not yet. */
  finish(): void {
    const { request } = this.handle;
    if (request === null) return void process.nextTick(() => this.complete());
    this.complete();
  }

  private complete(): void {
    const { handle } = this;
    handle.request?.oncomplete(0, handle, handle.request, false, false);
    this.end();
  }

  /** It came to nothing: there is no entry. */
  end(): void {
    this.socket.destroy();
  }

  /** Whether Node will make an entry of it. */
  isObserved(): boolean {
    return Object.getOwnPropertySymbols(this.socket).some(({ description }) => description === CONNECT_MARK);
  }
}

let observed = false;

/** Null where nobody observes connects. */
export function connectEntry(host: string, port: number): ConnectEntry | null {
  return observed ? new ConnectEntry(host, port) : null;
}

// Node does not tell whether anybody observes: observe() is watched from now on, and an observer from
// before is known by the mark that a connect begun leaves on its socket.
export function watchObservers(): void {
  const { observe } = PerformanceObserver.prototype;
  PerformanceObserver.prototype.observe = function (this: PerformanceObserver, options): void {
    const { type, entryTypes = [] } = { ...options } as { type?: string; entryTypes?: readonly string[] };
    if (type === 'net' || entryTypes.includes('net')) observed = true;
    observe.call(this, options);
  };
  const probe = new ConnectEntry('127.0.0.1', 1);
  process.nextTick(() => {
    observed ||= probe.isObserved();
    probe.end();
  });
}
