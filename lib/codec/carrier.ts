// What frames travel over: a connection, or one with a heartbeat beneath.

import type { Addr } from '../addr';
import type { CallOptions, ConnState, ShutdownOptions } from '../conn';

/** The part of a Conn that is needed for frames; what is written is whole frames each time. */
export interface Carrier {
  read(options?: CallOptions): Promise<Buffer | null>;
  write(p: Uint8Array): Promise<number>;
  writev(list: readonly Uint8Array[]): Promise<number>;
  close(): boolean;
  shutdown(options?: ShutdownOptions): Promise<void>;
  readonly state: ConnState;
  readonly localAddr: Addr;
  readonly remoteAddr: Addr;
}
