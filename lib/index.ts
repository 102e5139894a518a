// The public surface of `spliceway`.

export { type Addr, FileAddr, IPAddr, joinHostPort, PipeAddr, splitHostPort, TCPAddr, UDPAddr, UnixAddr } from './addr';
export type { CallOptions, Conn, ConnHandlers, ConnState, ShutdownOptions } from './conn';
export type { Control } from './control';
export { type CopyEnd, type CopyOptions, copy } from './copy';
export type { Deadline } from './deadline';
export { Dialer, type DialerOptions, type DialOptions, dial } from './dial';
export {
  AddrError,
  DNSError,
  ErrBusy,
  ErrClosed,
  ErrClosedPipe,
  ErrDeadlineExceeded,
  ErrnoError,
  ErrUnexpectedEOF,
  ErrUntrustedHeader,
  ErrWriteToConnected,
  OpError,
  SyscallError,
  UnknownNetworkError,
} from './errors';
export { fileConn, fileListener } from './file';
export type { ListenerInfo, QueueInfo, TCPInfo, TCPState } from './info';
export type { KeepAliveOptions } from './keep-alive';
export { ListenConfig, type ListenConfigOptions, type ListenOptions, listen, type ProxyListenOptions } from './listen';
export { type Listener, SocketListener } from './listener';
export { NoBinaryError } from './load';
export type { IPNetwork, PacketNetwork, StreamNetwork } from './network';
export { IPConn } from './packet/ip-conn';
export {
  type ListenPacketOptions,
  listenMulticastUDP,
  listenPacket,
  type MulticastOptions,
} from './packet/listen-packet';
export type { GroupOptions } from './packet/multicast';
export {
  type Connected,
  filePacketConn,
  type OpenOptions,
  type SocketPacketConn,
} from './packet/open';
export type {
  OutgoingPacket,
  Packet,
  PacketConn,
  PacketHandlers,
  PacketInfo,
  ReadMessageOptions,
} from './packet/packet-conn';
export { UDPConn } from './packet/udp-conn';
export { UnixgramConn } from './packet/unixgram-conn';
export { pipe } from './pipe';
export type { ProgressOptions } from './progress';
export type { ProxyBalance } from './proxy/balance';
export type {
  ProxyConnectionResult,
  ProxyEvent,
  ProxyRejectReason,
  ProxyStats,
  ProxyTargetStats,
} from './proxy/events';
export type { ProxyHealthOptions } from './proxy/health';
export type { ProxyOptions, ProxyTargets } from './proxy/options';
export { Proxy } from './proxy/proxy';
export type { ProxyTarget } from './proxy/target';
export { formatProxyHeader, type ProxyFormat, type ProxyHeaderInit, writeProxyHeader } from './proxy-protocol/format';
export {
  type ProxyHeader,
  ProxyHeaderError,
  type ProxyHeaderProblem,
  type ProxySSL,
  type ProxyTLV,
  proxyTLVTypes,
} from './proxy-protocol/header';
export { type ProxyListener, type ProxyRejections, proxyListener } from './proxy-protocol/listener';
export type { ProxyProtocolOptions } from './proxy-protocol/options';
export { type ProxyHeaderOptions, parseProxyHeader } from './proxy-protocol/parse';
export type { ProxyTLVInit } from './proxy-protocol/tlv';
export { type RawCall, RawConn } from './raw-conn';
export { type Relaying, type RelayOptions, type RelayProgress, type RelayResult, relay } from './relay';
export {
  type Lookup,
  type ResolveOptions,
  resolveIPAddr,
  resolveTCPAddr,
  resolveUDPAddr,
  resolveUnixAddr,
} from './resolve';
export { type ServeOptions, type Server, type ShutdownResult, serve } from './serve';
export { socketOptions } from './socket-option';
export type { ReceivedFds } from './stream/passing';
export type { SendFileOptions } from './stream/sending-file';
export { type KeepAliveConfig, TCPConn } from './tcp-conn';
export { type ClientHello, parseClientHello } from './tls-hello/client-hello';
export { type ClientHelloOptions, type PeekableConn, peekClientHello } from './tls-hello/peek';
export { type PeerCredentials, UnixConn } from './unix-conn';
