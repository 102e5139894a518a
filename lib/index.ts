// The public surface of `spliceway`.

export { type Addr, joinHostPort, splitHostPort, TCPAddr, UnixAddr } from './addr';
export type { CallOptions, Conn, ConnHandlers, ConnState, ShutdownOptions } from './conn';
export { type CopyEnd, type CopyOptions, copy } from './copy';
export type { Deadline } from './deadline';
export { type DialOptions, dial } from './dial';
export {
  AddrError,
  DNSError,
  ErrBusy,
  ErrClosed,
  ErrDeadlineExceeded,
  OpError,
  SyscallError,
  UnknownNetworkError,
} from './errors';
export { fileConn, fileListener } from './file';
export type { ListenerInfo, QueueInfo, TCPInfo, TCPState } from './info';
export { type ListenOptions, listen } from './listen';
export { type Listener, SocketListener } from './listener';
export { NoBinaryError } from './load';
export type { StreamNetwork } from './network';
export { type RawCall, RawConn } from './raw-conn';
export { type RelayOptions, type RelayResult, relay } from './relay';
export type { Lookup } from './resolve';
export { type ServeOptions, type Server, type ShutdownResult, serve } from './serve';
export { socketOptions } from './socket-option';
export type { ReceivedFds } from './stream/passing';
export { type KeepAliveConfig, TCPConn } from './tcp-conn';
export { type PeerCredentials, UnixConn } from './unix-conn';
