// What a Socket is made with.

import type { DuplexOptions } from 'node:stream';
import { adoptHandle, adoptStream } from './adopt';
import { invalidValue } from './errors';
import type { Handle } from './handle';
import { StreamHandle } from './stream-handle';
import { keepAliveDelay } from './validate';

/** Reading into memory of the caller's: as node:net's `onread`. */
export interface OnReadOptions {
  /** Where to read into, or a function that gives it for each read. */
  buffer: Uint8Array | (() => Uint8Array);
  /** Called for each read. False pauses reading. */
  callback(bytesWritten: number, buffer: Uint8Array): boolean;
}

/** As node:net's, and `splice`. */
export interface SocketConstructorOptions extends Omit<DuplexOptions, 'signal'> {
  /** A descriptor that is open: of a TCP or Unix connection, or of a pipe. */
  fd?: number | undefined;
  /** What another socket of ours has as `_handle`; or libuv's, whose connection is taken over. */
  handle?: object | undefined;
  readable?: boolean | undefined;
  writable?: boolean | undefined;
  noDelay?: boolean | undefined;
  keepAlive?: boolean | undefined;
  /** Milliseconds of quiet before the first probe. */
  keepAliveInitialDelay?: number | undefined;
  onread?: OnReadOptions | undefined;
  /** Ends connecting. */
  signal?: AbortSignal | undefined;
  /** Whether pipe() to another socket moves the bytes in the kernel, where nothing is lost by it. Default true. */
  splice?: boolean | undefined;
  /** @internal */
  pauseOnCreate?: boolean;
  /** @internal */
  manualStart?: boolean;
}

export function checkSocketOptions(options: SocketConstructorOptions | undefined): void {
  for (const name of ['objectMode', 'readableObjectMode', 'writableObjectMode'] as const) {
    if (options?.[name]) throw invalidValue(`options.${name}`, options[name], 'is not supported');
  }
  keepAliveDelay(options);
}

/** What a server makes all its sockets with: checked, and complete. */
export class AcceptedOptions implements SocketConstructorOptions {
  readonly emitClose = false;
  readonly autoDestroy = true;
  readonly decodeStrings = false;
  readonly readableHighWaterMark: number;
  readonly writableHighWaterMark: number;

  constructor(
    readonly handle: StreamHandle,
    readonly allowHalfOpen: boolean,
    readonly pauseOnCreate: boolean,
    highWaterMark: number,
  ) {
    this.readableHighWaterMark = this.writableHighWaterMark = highWaterMark;
  }
}

/** The options for the stream underneath. */
export function duplexOptions(options: SocketConstructorOptions): DuplexOptions {
  return {
    ...(options as DuplexOptions),
    allowHalfOpen: Boolean(options.allowHalfOpen),
    emitClose: false,
    autoDestroy: true,
    // Text is given to the kernel as it is.
    decodeStrings: false,
  };
}

/** The handle that a Socket begins with, if with any. */
export function handleOf({ handle, fd }: SocketConstructorOptions): Handle | null {
  if (handle instanceof StreamHandle) return handle;
  if (handle) return adoptHandle(handle);
  return fd === undefined ? null : adoptStream(fd);
}
