// copy(): bytes from one end to another, in the kernel wherever it can.

import { fstatSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { checkInteger, checkObject, checkSignal } from './check';
import type { CallOptions, Conn } from './conn';
import { invalidType, invalidValue, OpError } from './errors';
import { checked, rejected } from './pending';
import { type CopyErrors, PumpCopy, type PumpEnd } from './stream/pumping';
import { StreamConn } from './stream/stream-conn';
import { TCPConn } from './tcp-conn';

export interface CopyOptions extends CallOptions {
  /** Bytes to copy at most; the rest stays in the source. Default: to the end. */
  limit?: number | undefined;
}

/** What bytes can be copied from and to: a connection, or an open regular file, at its own position. */
export type CopyEnd = Conn | FileHandle;

/**
 * Copies from src to dst until src ends or the limit is reached, and resolves to the number of bytes
 * (Go's io.Copy and io.CopyN). It closes neither end and passes no FIN on. Between sockets it splices,
 * from a file it uses sendfile; where the kernel cannot, and for other kinds of Conn, it reads and
 * writes. It takes its place in src's line of reads and in dst's line of writes, so that calls made
 * meanwhile wait for it, and the deadlines of both connections hold. `copy(c, c)` echoes.
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
  if (limit !== undefined) checkInteger('options.limit', limit, 0, Number.MAX_SAFE_INTEGER);
  if (signal !== undefined) checkSignal(signal);
  checkEnd('dst', dst);
  checkEnd('src', src);
  if (isFile(src) && isFile(dst)) throw invalidValue('dst', 'must be a Conn where src is a file', dst);
}

async function start(dst: CopyEnd, src: CopyEnd, { limit, signal }: CopyOptions): Promise<number> {
  signal?.throwIfAborted();
  if (isPumpEnd(src) && isPumpEnd(dst)) return pumpCopy(dst, src, limit ?? -1, signal);
  return copyByHand(dst, src, limit ?? Number.POSITIVE_INFINITY, signal);
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
const isPumpEnd = (end: CopyEnd): end is PumpEnd => end instanceof StreamConn || isFile(end);

function pumpCopy(dst: PumpEnd, src: PumpEnd, limit: number, signal: AbortSignal | undefined): Promise<number> {
  const errors: CopyErrors = (end, cause) => copyError(dst, src, end, cause);
  const notNow = refusal(src, 'read');
  const refused = notNow ?? refusal(dst, 'write');
  if (refused !== null) {
    const error = errors(notNow === null ? 'sink' : 'source', refused.cause);
    return rejected(Object.assign(error, { bytesCopied: 0 }));
  }
  const call = new PumpCopy(src, dst, limit, errors);
  if (signal !== undefined) call.abortOn(signal, () => call.cancel());
  return call.start();
}

function refusal(end: PumpEnd, op: 'read' | 'write'): OpError | null {
  return end instanceof StreamConn ? end.refusal(op) : null;
}

// Go nests the error the way the call went down: WriteTo of a TCP source, ReadFrom of a TCP sink.
function copyError(dst: CopyEnd, src: CopyEnd, end: 'source' | 'sink', cause: Error): OpError {
  const inner = dst instanceof TCPConn ? dst.error('readfrom', cause) : cause;
  if (src instanceof TCPConn) return src.error('writeto', inner);
  if (inner instanceof OpError) return inner;
  const [conn, op] = end === 'source' ? [src, 'read'] : [dst, 'write'];
  if (conn instanceof StreamConn) return conn.error(op, cause);
  // A connection of another make has words of its own.
  return isFile(conn) ? new OpError(op, 'file', null, null, cause) : (cause as OpError);
}

const BY_HAND = 65536;

/** Through JavaScript, for ends that have no descriptor of the kernel's to splice. */
async function copyByHand(dst: CopyEnd, src: CopyEnd, limit: number, signal: AbortSignal | undefined): Promise<number> {
  let copied = 0;
  let end: 'source' | 'sink' = 'source';
  const p = Buffer.allocUnsafeSlow(Math.min(limit, BY_HAND));
  try {
    while (copied < limit) {
      end = 'source';
      const n = await readSome(src, p.subarray(0, Math.min(limit - copied, p.length)), signal);
      if (n === 0) break;
      end = 'sink';
      await writeAll(dst, p.subarray(0, n), signal);
      copied += n;
    }
    return copied;
  } catch (error) {
    if (signal?.aborted === true || !(error instanceof Error)) throw error;
    throw Object.assign(copyError(dst, src, end, error), { bytesCopied: copied });
  }
}

async function readSome(src: CopyEnd, p: Buffer, signal: AbortSignal | undefined): Promise<number> {
  if (isFile(src)) return (await src.read(p, 0, p.length, null)).bytesRead;
  return (await src.read(p, { signal })) ?? 0;
}

async function writeAll(dst: CopyEnd, p: Buffer, signal: AbortSignal | undefined): Promise<void> {
  if (isFile(dst)) await dst.writeFile(p);
  else await dst.write(p, { signal });
}
