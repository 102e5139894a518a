// spliceway/net: the module node:net, API for API and event for event, on this package's reactor.
//
// As there, the exports are plain properties, which programs replace.

import { channel } from 'node:diagnostics_channel';
import * as node from 'node:net';
import { listActiveHandles } from './active-handles';
import { type Normalized, normalizeArgs } from './arguments';
import type { ConnectOptions } from './connect';
import * as defaults from './defaults';
import { createServerHandle } from './listen';
import { watchObservers } from './perf';
import { Server as OurServer } from './server';
import { Socket as OurSocket } from './socket';
import type * as types from './types';

export type { Deadline } from '../deadline';
export type { TCPInfo } from '../info';
export type { AddressInfo } from './address';
export type { ConnectOptions } from './connect';
export type { ListenOptions } from './listen';
export type { DropArgument, ServerOptions } from './server';
export type { OnReadOptions } from './socket-options';
export type {
  Connect,
  ConnectionListener,
  CreateServer,
  ServerConstructor,
  SocketConstructor,
  SocketOptions,
} from './types';

watchObservers();
listActiveHandles();

const clientSockets = channel('net.client.socket');

function connectSocket(...args: unknown[]): OurSocket {
  const normalized = normalizeArgs(args) as Normalized<ConnectOptions & { timeout?: number }>;
  const socket = new OurSocket(normalized[0] as object);
  if (clientSockets.hasSubscribers) clientSockets.publish({ socket });
  const { timeout } = normalized[0];
  if (timeout) socket.setTimeout(timeout);
  return socket.connect(normalized);
}

export type Socket = types.Socket;
export const Socket = OurSocket as unknown as types.SocketConstructor;
export type Stream = types.Socket;
export const Stream = Socket;
export type Server = types.Server;
export const Server = OurServer as unknown as types.ServerConstructor;

export const connect = connectSocket as unknown as types.Connect;
export const createConnection: types.Connect = connect;
export const createServer = ((...args: ConstructorParameters<typeof OurServer>) =>
  new OurServer(...args)) as unknown as types.CreateServer;

export type BlockList = node.BlockList;
export const BlockList = node.BlockList;
export type SocketAddress = node.SocketAddress;
export const SocketAddress = node.SocketAddress;
export const isIP = node.isIP;
export const isIPv4 = node.isIPv4;
export const isIPv6 = node.isIPv6;

export const getDefaultAutoSelectFamily = defaults.getDefaultAutoSelectFamily;
export const setDefaultAutoSelectFamily = defaults.setDefaultAutoSelectFamily;
export const getDefaultAutoSelectFamilyAttemptTimeout = defaults.getDefaultAutoSelectFamilyAttemptTimeout;
export const setDefaultAutoSelectFamilyAttemptTimeout = defaults.setDefaultAutoSelectFamilyAttemptTimeout;

let warned = false;

/** Does nothing but warn, as on all systems but Windows. */
export const _setSimultaneousAccepts = (): void => {
  if (warned) return;
  warned = true;
  process.emitWarning(
    'net._setSimultaneousAccepts() is deprecated and will be removed.',
    'DeprecationWarning',
    'DEP0121',
  );
};

/** For libraries that take connect()'s arguments apart as it does. */
export const _normalizeArgs = normalizeArgs;

export const _createServerHandle = createServerHandle;

// What compilers ask for `import net from …` in CommonJS.
Object.defineProperty(exports, 'default', { value: exports });
