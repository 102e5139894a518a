// In a worker of a cluster the primary listens, for all workers that ask for the same place: it hands each
// of them its share of the connections (or, with SCHED_NONE, the socket). Here they are taken over from
// libuv's handles.

import { AsyncResource } from 'node:async_hooks';
import * as cluster from 'node:cluster';
import * as node from 'node:net';
import type { AddressInfo } from './address';
import { adoptHandle } from './adopt';
import { inClosingPhase } from './phases';
import { type Listening, NOTHING } from './server-handle';
import { StreamHandle } from './stream-handle';

/** Where a server wants to listen, in the words of Node's cluster. */
export interface Query {
  /** Null for any. */
  address: string | null;
  /** -1 for a path. */
  port: number | null;
  /** 4, 6, or -1 for a path. */
  addressType: number | null;
  fd?: number | undefined;
  flags?: number;
}

/** What Node's cluster gives a server in place of a handle, or libuv's handle itself. */
interface Face {
  onconnection?: (status: number, handle?: object) => void;
  listen(backlog: number): number;
  getsockname?(out: object): number;
  ref(): void;
  unref(): void;
  close(callback?: () => void): void;
}

interface Cluster {
  isWorker: boolean;
  _getServer?(server: object, query: Query, callback: (status: number, face: Face | null) => void): void;
}

const { isWorker, _getServer: getServer } = cluster as unknown as Cluster;

/** Whether listening is the primary's business. */
export const sharesListening = isWorker && getServer !== undefined;

// Node's cluster looks for a handle's owner under a symbol of its own: it closes the server when the worker
// disconnects, and has connections beyond its maxConnections go to another worker.
const OWNER = sharesListening ? ownerSymbol() : undefined;

function ownerSymbol(): symbol | undefined {
  const handle = {};
  new node.Socket({ handle, manualStart: true } as node.SocketConstructorOpts);
  return Object.getOwnPropertySymbols(handle).find(({ description }) => description === 'owner_symbol');
}

/** Asks the primary; `done` is told a negative errno where it cannot listen there. */
export function askPrimary(server: object, query: Query, done: (handle: ClusterHandle | number) => void): void {
  getServer?.call(cluster, server, query, (status, face) => {
    done(status !== 0 || face === null ? status : new ClusterHandle(server, face, query.port !== -1));
  });
}

export class ClusterHandle extends AsyncResource implements Listening {
  readonly id = -1;
  readonly inherited = NOTHING;
  owner: object | null = null;
  onconnection: ((handle: StreamHandle) => void) | null = null;
  onerror: ((status: number) => void) | null = null;
  private readonly closeFace: Face['close'];
  private isClosed = false;

  constructor(
    server: object,
    private readonly face: Face,
    readonly isTCP: boolean,
  ) {
    super(isTCP ? 'TCPSERVERWRAP' : 'PIPESERVERWRAP', { requireManualDestroy: true });
    this.closeFace = face.close;
    face.onconnection = (status, handle) => this.accepted(status, handle);
    if (OWNER !== undefined) Object.assign(face, { [OWNER]: server });
  }

  private accepted(status: number, handle: object | undefined): void {
    if (status < 0) return this.onerror?.(status);
    const connection = handle === undefined ? null : takeOver(handle);
    if (connection === null) return;
    if (this.isClosed) connection.close();
    else this.runInAsyncScope(() => this.onconnection?.(connection));
  }

  getAsyncId(): number {
    return this.asyncId();
  }

  get fd(): number {
    return -1;
  }

  giveOptions(): void {}

  listen(backlog: number): number {
    return this.face.listen(backlog);
  }

  getsockname(): AddressInfo | null {
    const out = {} as AddressInfo;
    return this.face.getsockname?.(out) === 0 ? out : null;
  }

  ref(): void {
    this.face.ref();
  }

  unref(): void {
    this.face.unref();
  }

  close(onClosed?: () => void): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.closeFace.call(this.face);
    inClosingPhase(() => {
      if (onClosed !== undefined) this.runInAsyncScope(onClosed);
      this.emitDestroy();
    });
  }
}

/** Null where the connection has ended on its way here. */
function takeOver(handle: object): StreamHandle | null {
  try {
    const adopted = adoptHandle(handle);
    return adopted instanceof StreamHandle ? adopted : null;
  } catch {
    (handle as Face).close();
    return null;
  }
}
