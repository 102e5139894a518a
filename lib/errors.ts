// The errors of this package. What the network does is an OpError, as in Go's net package; what the
// caller got wrong is a TypeError or RangeError with Node's own codes.

import { inspect } from 'node:util';
import type { Addr } from './addr';
import { BUSY, CLOSED, EXPIRED, REFUSED } from './binding';
import { errnoCode, errnoText } from './errno';

/** A system call that failed: the cause of an OpError. Text: `read: connection reset by peer`. */
export class SyscallError extends Error {
  /** The error's name, such as `ECONNRESET`. */
  readonly code: string;
  /** The error's number, negative as everywhere in Node. */
  readonly errno: number;
  /** The call as Go names it, such as `read` or `connect`. */
  readonly syscall: string;

  constructor(syscall: string, errno: number) {
    super(`${syscall}: ${errnoText(errno)}`);
    this.name = 'SyscallError';
    this.code = errnoCode(errno);
    this.errno = errno;
    this.syscall = syscall;
  }
}

/** A system error that no system call made: the cause where Go has a bare Errno. Text: `invalid argument`. */
export class ErrnoError extends Error {
  readonly code: string;
  readonly errno: number;

  constructor(errno: number) {
    super(errnoText(errno));
    this.name = 'ErrnoError';
    this.code = errnoCode(errno);
    this.errno = errno;
  }
}

/** An address that does not parse or does not fit (Go's net.AddrError). */
export class AddrError extends Error {
  readonly code = 'ERR_SPLICEWAY_ADDRESS';
  /** What is wrong, without the address. */
  readonly err: string;
  /** The address as it was given. */
  readonly addr: string;

  constructor(err: string, addr: string) {
    super(addr === '' ? err : `address ${addr}: ${err}`);
    this.name = 'AddrError';
    this.err = err;
    this.addr = addr;
  }
}

/** A network that this package does not know (Go's net.UnknownNetworkError). */
export class UnknownNetworkError extends Error {
  readonly code = 'ERR_SPLICEWAY_ADDRESS';

  constructor(readonly network: string) {
    super(`unknown network ${network}`);
    this.name = 'UnknownNetworkError';
  }
}

/** A name that was not resolved (Go's net.DNSError). */
export class DNSError extends Error {
  /** As Node's dns module has it: `ENOTFOUND`, `EAI_AGAIN`, … */
  readonly code: string;
  /** The name does not exist, or has no address of the wanted family. */
  readonly notFound: boolean;
  /** There was no time left to look it up. */
  readonly timeout: boolean;
  /** A later attempt may work. */
  readonly temporary: boolean;

  constructor(
    readonly hostname: string,
    text: string,
    code: string,
    options?: ErrorOptions,
  ) {
    super(`lookup ${hostname}: ${text}`, options);
    this.name = 'DNSError';
    this.code = code;
    this.notFound = code === 'ENOTFOUND' || code === 'ENODATA';
    this.timeout = code === ErrDeadlineExceeded.code;
    this.temporary = this.timeout || code === 'EAI_AGAIN';
  }
}

class SentinelError extends Error {
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
    this.name = 'Error';
  }
}

/** The cause of every OpError about a use after close (Go's net.ErrClosed). */
export const ErrClosed: Error = new SentinelError('use of closed network connection', 'ERR_SPLICEWAY_CLOSED');
/** The cause of every OpError about a deadline (Go's os.ErrDeadlineExceeded). */
export const ErrDeadlineExceeded: Error & { readonly code: string } = new SentinelError(
  'i/o timeout',
  'ERR_SPLICEWAY_DEADLINE_EXCEEDED',
);
/** The cause of an OpError for a connection whose peer was silent for too long, as its heartbeat has it. */
export const ErrPeerLost: Error = new SentinelError('the peer is lost', 'ERR_SPLICEWAY_PEER_LOST');
/** The cause of an OpError for a connection whose peer sent more than it had been granted. */
export const ErrCreditExceeded: Error = new SentinelError(
  'the peer sent more than it had been granted',
  'ERR_SPLICEWAY_CREDIT',
);
/** The cause of an OpError for writeTo() on a connected packet conn (Go's net.ErrWriteToConnected). */
export const ErrWriteToConnected: Error = new SentinelError(
  'use of WriteTo with pre-connected connection',
  'ERR_SPLICEWAY_WRITE_TO_CONNECTED',
);
/** The cause of an OpError for a file that ended before it gave what was asked of it (Go's io.ErrUnexpectedEOF). */
export const ErrUnexpectedEOF: Error = new SentinelError('unexpected EOF', 'ERR_SPLICEWAY_UNEXPECTED_EOF');
/** The cause of an OpError for a call on a connection that a relay, a handler or a copy has. */
export const ErrBusy: Error = new SentinelError('connection is being relayed or handled', 'ERR_SPLICEWAY_BUSY');
/** The cause of an OpError for a connection that was closed for a PROXY header which its sender may not send. */
export const ErrUntrustedHeader: Error = new SentinelError(
  'PROXY header from an untrusted source',
  'ERR_SPLICEWAY_PROXY_HEADER',
);
/** The cause of every error about a pipe of which an end is closed (Go's io.ErrClosedPipe). */
export const ErrClosedPipe: Error = new SentinelError('io: read/write on closed pipe', 'ERR_SPLICEWAY_CLOSED_PIPE');

/** What a call on a closed pipe fails with: as in Go no OpError, since a pipe has no addresses to tell of. */
export function closedPipe(): Error {
  return Object.assign(new Error(ErrClosedPipe.message, { cause: ErrClosedPipe }), {
    code: 'ERR_SPLICEWAY_CLOSED_PIPE',
  });
}

export function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && error.cause === ErrClosedPipe;
}

/**
 * What went wrong, and where (Go's net.OpError). `message` reads as Go prints it:
 * `read tcp 127.0.0.1:1234->127.0.0.1:80: read: connection reset by peer`.
 */
export class OpError extends Error {
  /** The operation: `dial`, `listen`, `accept`, `read`, `write`, `writev`, `readfrom`, `close`, `set`, `get`, `peek`, `unread`, `file`, `detach`, `raw-control`, `raw-read`, `raw-write`, … */
  readonly op: string;
  /** The network as it was given to dial or listen. */
  readonly net: string;
  /** The local address of an operation that has a remote one too; else null. */
  readonly source: Addr | null;
  /** The remote address; the local one of `listen`, `accept` and setting a deadline. */
  readonly addr: Addr | null;
  /** What lies behind it: a SyscallError, ErrClosed, ErrDeadlineExceeded, an AddrError, … */
  override readonly cause: Error;
  /** `ERR_SPLICEWAY_DEADLINE_EXCEEDED`, `ERR_SPLICEWAY_CLOSED`, `ERR_SPLICEWAY_ADDRESS`, `ERR_SPLICEWAY_BUSY`, or the system's own, such as `ECONNRESET`. */
  readonly code: string;
  /** The system's error number, negative, where there is one. */
  declare readonly errno?: number;
  /** The system call that failed, where one did. */
  declare readonly syscall?: string;
  /** A deadline or a timeout ended the operation. */
  readonly timeout: boolean;
  /** Trying again later may work; Go's Temporary, with its known vagueness. */
  readonly temporary: boolean;
  /** How many bytes of a failed write the kernel had taken. Present on errors of write, writev and sendFile. */
  declare bytesWritten?: number;
  /** How many bytes the sink of a failed copy had taken. Present on errors of copy. */
  declare bytesCopied?: number;
  /** What each attempt of a dial met, in that order, where there was more than one; this one is among them. */
  declare errors?: readonly OpError[];

  constructor(op: string, net: string, source: Addr | null, addr: Addr | null, cause: Error) {
    super(`${describe(op, net, source, addr)}: ${cause.message}`);
    this.name = 'OpError';
    this.op = op;
    this.net = net;
    this.source = source;
    this.addr = addr;
    this.cause = cause;
    this.code = (cause as { code?: string }).code ?? 'ERR_SPLICEWAY';
    this.timeout = isTimeout(cause);
    this.temporary = isTemporary(op, cause);
    const { errno, syscall } = cause as Partial<SyscallError>;
    if (errno !== undefined) this.errno = errno;
    if (syscall !== undefined) this.syscall = syscall;
  }
}

function describe(op: string, net: string, source: Addr | null, addr: Addr | null): string {
  const where = source !== null && addr !== null ? `${source}->${addr}` : `${source ?? addr ?? ''}`;
  return [op, net, where].filter((part) => part !== '').join(' ');
}

function isTimeout(cause: Error): boolean {
  if (cause instanceof OpError) return cause.timeout;
  if (cause instanceof DNSError) return cause.timeout;
  if (cause === ErrDeadlineExceeded || cause === ErrPeerLost) return true;
  return cause instanceof SyscallError && cause.code === 'ETIMEDOUT';
}

// Go's syscall.Errno.Temporary, and OpError.Temporary for connections that died in the accept queue.
const TEMPORARY = new Set(['EINTR', 'EMFILE', 'ENFILE', 'ETIMEDOUT', 'EAGAIN']);

function isTemporary(op: string, cause: Error): boolean {
  if (cause === ErrDeadlineExceeded) return true;
  if (cause instanceof OpError) return cause.temporary;
  if (cause instanceof DNSError) return cause.temporary;
  if (!(cause instanceof SyscallError)) return false;
  if (op === 'accept' && (cause.code === 'ECONNRESET' || cause.code === 'ECONNABORTED')) return true;
  return TEMPORARY.has(cause.code);
}

/** What a connection of a foreign make rejected with: an OpError in any case. */
export function asOpError(op: string, conn: { localAddr?: Addr; remoteAddr?: Addr }, thrown: unknown): OpError {
  if (thrown instanceof OpError) return thrown;
  if (isClosedPipe(thrown)) return new OpError(op, 'pipe', null, null, ErrClosedPipe);
  const { localAddr = null, remoteAddr = null } = conn;
  return new OpError(op, localAddr?.network ?? '', localAddr, remoteAddr, thrownCause(thrown));
}

/** The cause that a negative result of a native call stands for. */
export function causeOf(status: number, syscall: string): Error {
  if (status === CLOSED) return ErrClosed;
  if (status === EXPIRED) return ErrDeadlineExceeded;
  if (status === BUSY) return ErrBusy;
  if (status === REFUSED) return ErrUntrustedHeader;
  return new SyscallError(syscall, status);
}

/** The cause behind what a native call, a file or a connection of a foreign make threw. */
export function thrownCause(error: unknown): Error {
  if (error instanceof OpError || error instanceof SyscallError) return error;
  const { errno, syscall } = asError(error) as NodeJS.ErrnoException;
  return typeof errno === 'number' && typeof syscall === 'string' ? new SyscallError(syscall, errno) : asError(error);
}

/** Runs a call that throws what the system says, and throws what `wrap` makes of that in its place. */
export function wrapping<T>(call: () => T, wrap: (cause: Error) => OpError): T {
  try {
    return call();
  } catch (error) {
    throw wrap(thrownCause(error));
  }
}

/** The error of a write, with how many bytes of it were taken. */
export function withCount<E extends Error>(error: E, bytesWritten: number): E {
  return Object.assign(error, { bytesWritten });
}

/** What was thrown, as an Error: anything can be, even nothing. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(textOf(thrown), { cause: thrown });
}

/** What a stranger gave, as text. Unlike String() it never fails: an object need not have a toString(). */
export function textOf(value: unknown): string {
  return typeof value === 'object' ? inspect(value, { depth: 0, customInspect: false }) : String(value);
}

type Coded<T> = T & { code: string };

/** As Node words it: `The "p" argument must be of type string. Received …` */
export function invalidType(name: string, expected: string, value: unknown): Coded<TypeError> {
  const message = `The "${name}" argument must be ${expected}. Received ${received(value)}`;
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' });
}

/** For a value of the right type that cannot be used. */
export function invalidValue(name: string, reason: string, value: unknown): Coded<TypeError> {
  const message = `The "${name}" argument ${reason}. Received ${received(value)}`;
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_VALUE' });
}

/** For a number outside its range. */
export function outOfRange(name: string, range: string, value: unknown): Coded<RangeError> {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${String(value)}`;
  return Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' });
}

/** For what a function of the caller's answered with. */
export function invalidReturn(name: string, expected: string, value: unknown): Coded<TypeError> {
  const error = new TypeError(`Expected ${name} to return ${expected}. Received ${received(value)}`);
  return Object.assign(error, { code: 'ERR_INVALID_RETURN_VALUE' });
}

function received(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') return `an instance of ${value.constructor?.name ?? 'Object'}`;
  const text = typeof value === 'string' ? `'${value}'` : String(value);
  return `type ${typeof value} (${text.length > 28 ? `${text.slice(0, 25)}...` : text})`;
}
