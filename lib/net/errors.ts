// Errors as node:net has them: the same codes, messages and properties, in the same order.

import { getSystemErrorMap, inspect } from 'node:util';
import { errnoCode } from '../errno';

/** An error of the system, with Node's properties. */
export interface SystemError extends Error {
  errno: number;
  code: string;
  syscall: string;
  address?: string | undefined;
  port?: number | undefined;
  localAddress?: string | undefined;
  localPort?: number | undefined;
}

/** `read ECONNRESET` */
export function errnoException(status: number, syscall: string): SystemError {
  const code = errnoCode(status);
  const error = new Error(`${syscall} ${code}`) as SystemError;
  error.errno = status;
  error.code = code;
  error.syscall = syscall;
  return error;
}

/**
 * The same for what came from the network. Below it is nobody's code but ours, so its stack has no frames:
 * streams ask each error for its stack, and to capture one costs as much as several system calls.
 */
export function networkException(status: number, syscall: string): SystemError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error = errnoException(status, syscall);
  Error.stackTraceLimit = stackTraceLimit;
  error.stack = `Error: ${error.message}`;
  return error;
}

/** `connect ECONNREFUSED 127.0.0.1:80`, and the local end where it is told. */
export function exceptionWithHostPort(
  status: number,
  syscall: string,
  address: string | undefined,
  port?: number,
  local?: string,
): SystemError {
  const code = errnoCode(status);
  const from = local === undefined ? '' : ` - Local (${local})`;
  const error = Object.assign(new Error(`${syscall} ${code}${place(address, port)}${from}`), {
    errno: status,
    code,
    syscall,
    address,
  });
  return port ? Object.assign(error, { port }) : error;
}

/** `listen EADDRINUSE: address already in use 127.0.0.1:80` */
export function listenException(status: number, address: string | null | undefined, port: number | null): SystemError {
  const [code, text] = getSystemErrorMap().get(status) ?? [errnoCode(status), 'unknown error'];
  const error = Object.assign(new Error(`listen ${code}: ${text}${place(address, port)}`), {
    code,
    errno: status,
    syscall: 'listen',
    address: address as string | undefined,
  });
  return port ? Object.assign(error, { port }) : error;
}

function place(address: string | null | undefined, port: number | null | undefined): string {
  if (port && port > 0) return ` ${address}:${port}`;
  return address ? ` ${address}` : '';
}

/** What a connect came to that tried several addresses. */
export function aggregateError(errors: SystemError[]): AggregateError {
  return Object.assign(new AggregateError(errors), { code: errors[0]?.code });
}

type Coded = Error & { code: string };
type ErrorType = new (message: string) => Error;

// The code is part of what a stack begins with, and of toString(), but not of the name.
function coded(Type: ErrorType, code: string, message: string): Coded {
  const error = new Type(message);
  const { name } = error;
  const show = (value: unknown) => ({ value, enumerable: false, writable: true, configurable: true });
  Object.defineProperty(error, 'name', show(`${name} [${code}]`));
  // Reading the stack fixes its first line.
  void error.stack;
  delete (error as { name?: string }).name;
  Object.defineProperty(
    error,
    'toString',
    show(() => `${error.name} [${code}]: ${error.message}`),
  );
  return Object.assign(error, { code });
}

export const socketClosed = (): Coded => coded(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed');
export const closedBeforeConnection = (): Coded =>
  coded(Error, 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION', 'Socket closed before the connection was established');
export const connectionTimeout = (): Coded =>
  coded(Error, 'ERR_SOCKET_CONNECTION_TIMEOUT', 'Socket connection timeout');
export const alreadyListening = (): Coded =>
  coded(Error, 'ERR_SERVER_ALREADY_LISTEN', 'Listen method has been called more than once without closing.');
export const notRunning = (): Coded => coded(Error, 'ERR_SERVER_NOT_RUNNING', 'Server is not running.');
export const ipBlocked = (ip: string): Coded => coded(Error, 'ERR_IP_BLOCKED', `IP(${ip}) is blocked by net.BlockList`);
export const invalidIpAddress = (ip: unknown): Coded =>
  coded(TypeError, 'ERR_INVALID_IP_ADDRESS', `Invalid IP address: ${String(ip)}`);
export const invalidFdType = (type: string): Coded =>
  coded(TypeError, 'ERR_INVALID_FD_TYPE', `Unsupported fd type: ${type}`);
export const invalidHandleType = (): Coded =>
  coded(TypeError, 'ERR_INVALID_HANDLE_TYPE', 'This handle type cannot be sent');
export const missingArgs = (names: readonly string[]): Coded =>
  coded(
    TypeError,
    'ERR_MISSING_ARGS',
    `The ${names.map((name) => `"${name}"`).join(' or ')} argument must be specified`,
  );

export function invalidAddressFamily(family: unknown, host: unknown, port: unknown): Coded {
  const error = coded(RangeError, 'ERR_INVALID_ADDRESS_FAMILY', `Invalid address family: ${family} ${host}:${port}`);
  return Object.assign(error, { host, port });
}

export const invalidBuffer = (): Coded => coded(TypeError, 'ERR_INVALID_ARG_TYPE', 'Second argument must be a buffer');

/** @param expected such as `of type number` */
export function invalidType(name: string, expected: string, value: unknown): Coded {
  const what = name.includes('.') ? 'property' : 'argument';
  return coded(
    TypeError,
    'ERR_INVALID_ARG_TYPE',
    `The "${name}" ${what} must be ${expected}. Received ${received(value)}`,
  );
}

export function invalidValue(name: string, value: unknown, reason = 'is invalid'): Coded {
  const text = inspect(value);
  const shown = text.length > 128 ? `${text.slice(0, 128)}...` : text;
  const what = name.includes('.') ? 'property' : 'argument';
  return coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The ${what} '${name}' ${reason}. Received ${shown}`);
}

export function outOfRange(name: string, range: string, value: unknown): Coded {
  const large = Number.isInteger(value) && Math.abs(value as number) > 2 ** 32;
  const shown = large ? String(value).replace(/(?<=\d)(?=(\d{3})+$)/g, '_') : inspect(value);
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${shown}`;
  return coded(RangeError, 'ERR_OUT_OF_RANGE', message);
}

export function badPort(name: string, port: unknown): Coded {
  const message = `${name} should be >= 0 and < 65536. Received ${received(port)}.`;
  return coded(RangeError, 'ERR_SOCKET_BAD_PORT', message);
}

/** A value as Node's messages describe it. */
function received(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') {
    const name: unknown = value.constructor?.name;
    return name === undefined ? inspect(value, { depth: -1 }) : `an instance of ${name}`;
  }
  if (typeof value !== 'string') return `type ${typeof value} (${inspect(value)})`;
  const text = value.length > 28 ? `${value.slice(0, 25)}...` : value;
  return `type string (${text.includes("'") ? JSON.stringify(text) : `'${text}'`})`;
}
