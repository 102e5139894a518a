// copy(): bytes from one end to another, in the kernel wherever it can.

import { fstatSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { checkInteger, checkObject, checkSignal } from './check';
import type { CallOptions, Conn } from './conn';
import { asOpError, invalidType, invalidValue, isClosedPipe, OpError, SyscallError, thrownCause } from './errors';
import { checked, rejected } from './pending';
import { checkProgress, type ProgressOptions, tellProgress } from './progress';
import { type CopyErrors, Copying } from './stream/copying';
import { StreamConn } from './stream/stream-conn';
import type { TransferEnd } from './stream/transfer';
import { TCPConn } from './tcp-conn';
import { UnixConn } from './unix-conn';

export interface CopyOptions extends CallOptions, ProgressOptions<number> {
  /** Bytes to copy at most; the rest stays in the source. 0 to 2^53 - 1; default: to the end. */
  limit?: number | undefined;
}

/** What bytes can be copied from and to: a connection, or an open regular file, at its own position. */
export type CopyEnd = Conn | FileHandle;

/**
 * Copies from src to dst until src ends or the limit is reached, and resolves to the number of bytes
 * (Go's io.Copy and io.CopyN). It closes neither end and passes no FIN on. Between sockets an I/O thread
 * splices, from a file it uses sendfile, also while JavaScript is busy; where the kernel cannot, it reads
 * and writes. For other kinds of Conn JavaScript does. It takes its place in src's line of reads and in
 * dst's line of writes, so that calls made meanwhile wait for it, and the deadlines of both connections
 * hold. detach() is refused meanwhile. `copy(c, c)` echoes.
 *
 * @throws OpError (as a rejection) with `bytesCopied`, what dst had taken. Bytes taken from src and not
 *   by dst are lost then, as in Go.
 */
export function copy(dst: CopyEnd, src: CopyEnd, options: CopyOptions = {}): Promise<number> {
  return checked(
    () => checkArguments(dst, src, options),
    () => start(dst, src, options),
  );
}

function checkArguments(dst: CopyEnd, src: CopyEnd, options: CopyOptions): void {
  checkObject('options', options);
  const { limit, signal } = options;
  checkProgress(options);
  if (limit !== undefined) checkInteger('options.limit', limit, 0, Number.MAX_SAFE_INTEGER);
  if (signal !== undefined) checkSignal(signal);
  checkEnd('dst', dst);
  checkEnd('src', src);
}

async function start(dst: CopyEnd, src: CopyEnd, options: CopyOptions): Promise<number> {
  options.signal?.throwIfAborted();
  // Between two files there is nothing to wait for but the disk, as Node's threads do.
  const byKernel = isTransferEnd(src) && isTransferEnd(dst) && !(isFile(src) && isFile(dst));
  if (byKernel) return copyByKernel(dst, src, options);
  return copyByHand(dst, src, options);
}

function checkEnd(name: string, end: unknown): void {
  if (typeof end !== 'object' || end === null) throw invalidType(name, 'a Conn or a FileHandle', end);
  const { fd, read, write, close } = end as Partial<FileHandle & Conn>;
  if (typeof fd === 'number') return checkFile(name, fd, end);
  if (typeof read !== 'function' || typeof write !== 'function' || typeof close !== 'function') {
    throw invalidType(name, 'a Conn or a FileHandle', end);
  }
}

// Reading a pipe or a terminal would block the event loop.
function checkFile(name: string, fd: number, end: unknown): void {
  if (fd < 0) throw invalidValue(name, 'is a FileHandle that is closed', end);
  if (!fstatSync(fd).isFile()) throw invalidValue(name, 'must be a regular file', end);
}

const isFile = (end: CopyEnd): end is FileHandle => typeof (end as Partial<FileHandle>).fd === 'number';
// Packets are to stay what they are, which splicing does not see to.
function isTransferEnd(end: CopyEnd): end is TransferEnd {
  return isFile(end) || (end instanceof StreamConn && end.net !== 'unixpacket');
}

function copyByKernel(dst: TransferEnd, src: TransferEnd, options: CopyOptions): Promise<number> {
  const limited = options.limit !== undefined;
  const errors: CopyErrors = (end, cause, begun, bytesCopied) =>
    Object.assign(copyError({ dst, src, limited, begun }, end, cause), { bytesCopied });
  const notNow = refusal(src, 'read');
  const refused = notNow ?? refusal(dst, 'write');
  if (refused !== null) {
    return rejected(errors(notNow === null ? 'sink' : 'source', refused.cause, false, 0));
  }
  return openTransfer(dst, src, errors, options)?.start() ?? copyByHand(dst, src, options);
}

// A file's descriptor is duplicated, for which there may be no room. Nor may there be for the first thread;
// between sockets JavaScript can do without one.
function openTransfer(dst: TransferEnd, src: TransferEnd, errors: CopyErrors, options: CopyOptions): Copying | null {
  try {
    return new Copying(src, dst, errors, { ...options, limit: options.limit ?? -1 });
  } catch (error) {
    if (!isFile(src) && !isFile(dst)) return null;
    const cause = thrownCause(error);
    throw errors(isFile(src) ? 'source' : 'sink', cause, false, 0);
  }
}

function refusal(end: TransferEnd, op: 'read' | 'write'): OpError | null {
  return end instanceof StreamConn ? end.refusal(op) : null;
}

type End = 'source' | 'sink';

/** What Go's wording of an error depends on. */
interface Circumstances {
  dst: CopyEnd;
  src: CopyEnd;
  limited: boolean;
  begun: boolean;
}

// Go nests the error the way its call went down: WriteTo of a TCP source, which a limit hides; ReadFrom
// of a TCP sink; then the kernel, or else a read and a write.
function copyError(where: Circumstances, end: End, cause: Error): OpError {
  const { dst, src, limited } = where;
  let error: Error = inKernel(where) ? cause : errorAt(end === 'source' ? src : dst, end, cause);
  if (dst instanceof TCPConn) error = dst.error('readfrom', error);
  if (src instanceof TCPConn && !limited) error = src.error('writeto', error);
  return error as OpError; // what the kernel does has a TCP end, which named it
}

/** Whether Go leaves it to the kernel: splice where an end is TCP, sendfile once that has begun. */
function inKernel({ dst, src, limited, begun }: Circumstances): boolean {
  if (dst instanceof TCPConn) return isFile(src) ? begun : isStream(src);
  return isStream(dst) && src instanceof TCPConn && !limited;
}

const isStream = (end: CopyEnd): boolean => end instanceof TCPConn || (end instanceof UnixConn && end.net === 'unix');

function errorAt(at: CopyEnd, end: End, cause: Error): OpError {
  const op = end === 'source' ? 'read' : 'write';
  if (isFile(at)) return new OpError(op, 'file', null, null, cause);
  // As in Go, where a pipe's is no OpError.
  if (isClosedPipe(cause)) return cause as OpError;
  if (!(at instanceof StreamConn)) return asOpError(op, at, cause);
  if (cause instanceof OpError) return cause;
  const plain = cause instanceof SyscallError && cause.syscall === 'splice'; // where Go reads and writes
  return at.error(op, plain ? new SyscallError(op, cause.errno) : cause);
}

const BY_HAND = 65536;

/** Through JavaScript, for ends that have no descriptor of the kernel's to splice. */
async function copyByHand(dst: CopyEnd, src: CopyEnd, options: CopyOptions): Promise<number> {
  const { limit = Number.POSITIVE_INFINITY, signal } = options;
  let copied = 0;
  let end: End = 'source';
  const p = Buffer.allocUnsafeSlow(Math.min(limit, BY_HAND));
  const stopTelling = tellProgress(
    options,
    () => copied,
    () => copied,
  );
  try {
    while (copied < limit) {
      end = 'source';
      const n = await readSome(src, p.subarray(0, Math.min(limit - copied, p.length)), signal);
      if (n === 0) break;
      end = 'sink';
      copied += await writeAll(dst, p.subarray(0, n), signal);
    }
    return copied;
  } catch (error) {
    if (signal?.aborted === true) throw error;
    const written = (error as { bytesWritten?: number } | null)?.bytesWritten ?? 0;
    const where = { dst, src, limited: limit !== Number.POSITIVE_INFINITY, begun: false };
    throw Object.assign(copyError(where, end, thrownCause(error)), { bytesCopied: copied + written });
  } finally {
    stopTelling?.();
  }
}

async function readSome(src: CopyEnd, p: Buffer, signal: AbortSignal | undefined): Promise<number> {
  if (!isFile(src)) return (await src.read(p, { signal })) ?? 0;
  signal?.throwIfAborted();
  return (await src.read(p, 0, p.length, null)).bytesRead;
}

async function writeAll(dst: CopyEnd, p: Buffer, signal: AbortSignal | undefined): Promise<number> {
  return isFile(dst) ? writeFile(dst, p) : dst.write(p, { signal });
}

async function writeFile(file: FileHandle, p: Buffer): Promise<number> {
  let written = 0;
  try {
    while (written < p.length) written += (await file.write(p, written)).bytesWritten;
    return written;
  } catch (error) {
    throw Object.assign(error as Error, { bytesWritten: written });
  }
}
