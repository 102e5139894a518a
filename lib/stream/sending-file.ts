// sendFile(): part of a file, and what stands around it, in one go.

import { fstatSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { checkBytes, checkInteger, checkObject, checkSignal } from '../check';
import type { CallOptions } from '../conn';
import { ErrUnexpectedEOF, invalidType, invalidValue, thrownCause, withCount } from '../errors';
import { checked } from '../pending';
import { checkProgress, type ProgressOptions } from '../progress';
import { type CopyErrors, Copying, type CopyingOptions } from './copying';
import type { StreamConn } from './stream-conn';

export interface SendFileOptions extends CallOptions, ProgressOptions<number> {
  /** Where in the file to begin, in bytes. 0 to 2^53 - 1; default 0. */
  offset?: number | undefined;
  /** How many bytes of it to send. 0 to 2^53 - 1; default: to its end. */
  length?: number | undefined;
  /** Sent before them. Copied at the call. */
  header?: Uint8Array | undefined;
  /** Sent after them, where the file holds as much as `length`. Copied at the call. */
  trailer?: Uint8Array | undefined;
}

export function sendFile(conn: StreamConn, file: FileHandle, options: SendFileOptions = {}): Promise<number> {
  return checked(
    () => checkArguments(conn, file, options),
    () => start(conn, file, options),
  );
}

function checkArguments(conn: StreamConn, file: unknown, options: SendFileOptions): void {
  checkOptions(options);
  checkFile(file);
  if (conn.net === 'unixpacket') throw invalidValue('conn', 'must carry bytes, not packets', conn);
}

function checkOptions(options: SendFileOptions): void {
  checkObject('options', options);
  const { offset, length, header, trailer, signal } = options;
  if (offset !== undefined) checkInteger('options.offset', offset, 0, Number.MAX_SAFE_INTEGER);
  if (length !== undefined) checkInteger('options.length', length, 0, Number.MAX_SAFE_INTEGER);
  if (header !== undefined) checkBytes('options.header', header);
  if (trailer !== undefined) checkBytes('options.trailer', trailer);
  if (signal !== undefined) checkSignal(signal);
  checkProgress(options);
}

function checkFile(file: unknown): void {
  const fd = (file as Partial<FileHandle> | null)?.fd;
  if (typeof fd !== 'number') throw invalidType('file', 'a FileHandle', file);
  if (fd < 0) throw invalidValue('file', 'is a FileHandle that is closed', file);
  if (!fstatSync(fd).isFile()) throw invalidValue('file', 'must be a regular file', file);
}

async function start(conn: StreamConn, file: FileHandle, options: SendFileOptions): Promise<number> {
  const { offset = 0, length, trailer } = options;
  options.signal?.throwIfAborted();
  const refused = conn.refusal('sendfile');
  if (refused !== null) throw withCount(refused, 0);
  const header = Buffer.from(options.header ?? []);
  const limit = length === undefined ? -1 : header.length + length;
  const lane = { ...options, offset, limit, header, trailer: Buffer.from(trailer ?? []) };
  const sent = await open(conn, file, lane).start();
  if (sent < limit) throw withCount(conn.error('sendfile', ErrUnexpectedEOF), sent);
  return sent;
}

// A file's descriptor is duplicated, and a thread may be started, for which there may be no room.
function open(conn: StreamConn, file: FileHandle, options: CopyingOptions): Copying {
  const errors: CopyErrors = (_end, cause, _begun, sent) => withCount(conn.error('sendfile', cause), sent);
  try {
    return new Copying(file, conn, errors, options);
  } catch (error) {
    throw errors('source', thrownCause(error), false, 0);
  }
}
