// The public surface of `spliceway/node`: what this package and Node's own modules give each other.

export type { Conn } from '../conn';
export type { Listener } from '../listener';
export type { ShutdownResult } from '../serve';
export type { AddressInfo } from './address';
export {
  type Attachable,
  type Attached,
  type AttachOptions,
  attach,
  type PlainAndTLS,
  type WebSocketServerLike,
} from './attach';
export type { ConnDuplex } from './conn-duplex';
export { fromNodeSocket } from './from-node-socket';
export { type ToDuplexOptions, toDuplex } from './to-duplex';
export { type ToNodeSocketOptions, toNodeSocket } from './to-node-socket';
export { type ConnWebStreams, toWeb } from './to-web';
