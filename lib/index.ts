// The public surface of `spliceway`.

export { type Addr, joinHostPort, PipeAddr, splitHostPort, TCPAddr, UnixAddr } from './addr';
export type { CallOptions, Conn, ConnHandlers, ConnState, ShutdownOptions } from './conn';
export { type CopyEnd, type CopyOptions, copy } from './copy';
export type { Deadline } from './deadline';
export { type DialOptions, dial } from './dial';
export {
  AddrError,
  DNSError,
  ErrBusy,
  ErrClosed,
  ErrClosedPipe,
  ErrDeadlineExceeded,
  OpError,
  SyscallError,
  UnknownNetworkError,
} from './errors';
export { type ListenOptions, listen } from './listen';
export { type Listener, SocketListener } from './listener';
export { NoBinaryError } from './load';
export type { StreamNetwork } from './network';
export { pipe } from './pipe';
export { type RelayOptions, type RelayResult, relay } from './relay';
export type { Lookup } from './resolve';
export { type ServeOptions, type Server, type ShutdownResult, serve } from './serve';
export { type KeepAliveConfig, TCPConn } from './tcp-conn';
export { UnixConn } from './unix-conn';
