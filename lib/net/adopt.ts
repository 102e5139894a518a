// Handles on descriptors that somebody else made.

import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import { DATAGRAMS, KIND_TCP, KIND_UNIX, native, RAW, STREAM, scratchIds, UNIX } from '../binding';
import type { Family } from './address';
import { errnoException, invalidFdType } from './errors';
import { ForeignHandle } from './foreign-handle';
import type { Handle } from './handle';
import { ServerHandle } from './server-handle';
import { EINVAL, statusOf } from './status';
import { StreamHandle } from './stream-handle';
import { validateInt32 } from './validate';

interface Described {
  isTCP: boolean;
  family: Family | 0;
  listening: boolean;
}

/** @param duplicate leaves the descriptor itself to its owner */
export function adoptStream(fd: number, duplicate = false): StreamHandle {
  validateInt32(fd, 'fd', 0);
  const fifo = duplicate ? null : adoptFifo(fd);
  if (fifo !== null) return fifo;
  const { isTCP, family } = describe(fd);
  let id = -1;
  const status = statusOf(() => {
    id = native.adoptStream(fd, isTCP ? KIND_TCP : KIND_UNIX);
    if (duplicate) id = duplicateOf(id, isTCP);
  });
  if (status < 0) throw errnoException(status, 'open');
  return new StreamHandle(isTCP, family).attach(id);
}

/** Null for what is no end of a pipe. */
function adoptFifo(fd: number): StreamHandle | null {
  let id = -1;
  const status = statusOf(() => {
    id = native.adoptFifo(fd);
  });
  if (status < 0) return null;
  const handle = new StreamHandle(false, 0).attach(id);
  handle.isFifo = true;
  return handle;
}

function duplicateOf(id: number, isTCP: boolean): number {
  const copy = native.duplicate(id);
  native.detach(id);
  return native.adoptStream(copy, isTCP ? KIND_TCP : KIND_UNIX);
}

/** A negative errno where the descriptor is none to listen on. */
export function adoptServer(fd: number): ServerHandle | number {
  let described: Described;
  try {
    described = describe(fd);
  } catch {
    return EINVAL;
  }
  if (!described.listening) return EINVAL;
  let id = -1;
  const status = statusOf(() => {
    id = native.adoptListener(fd, described.isTCP ? KIND_TCP : KIND_UNIX);
  });
  return status < 0 ? status : new ServerHandle(described.isTCP, described.family).adopted(id);
}

/** @throws ERR_INVALID_FD_TYPE for what no Socket can be made on */
function describe(fd: number): Described {
  const status = statusOf(() => native.describeSocket(fd));
  if (status < 0) throw invalidFdType(otherType(fd));
  const [family, type, listening] = scratchIds as unknown as [number, number, number];
  if (type === DATAGRAMS || type === RAW) throw invalidFdType('UDP');
  if (type !== STREAM || family === 0) throw invalidFdType('UNKNOWN');
  return { isTCP: family !== UNIX, family: family === UNIX ? 0 : (family as Family), listening: listening === 1 };
}

/** What Node calls a descriptor that is no socket. */
function otherType(fd: number): string {
  if (isatty(fd)) return 'TTY';
  try {
    const stat = fstatSync(fd);
    return stat.isFile() || stat.isCharacterDevice() ? 'FILE' : 'UNKNOWN';
  } catch {
    return 'UNKNOWN'; // it is not open
  }
}

/** On a handle that is no StreamHandle: libuv's, whose connection is taken over, or an object of the caller's. */
export function adoptHandle(handle: object): Handle {
  const { fd, close } = handle as { fd?: unknown; close?: () => void };
  if (typeof fd !== 'number' || fd < 0 || typeof close !== 'function') return new ForeignHandle(handle);
  const adopted = adoptStream(fd, true);
  close.call(handle);
  return adopted;
}
