// Errors: their comparable form, and the few that Go makes where this package does not.

import { getSystemErrorMap } from 'node:util';
import { spliceway } from './library.mjs';

/** The error of a failing hook. */
export class ControlRefused extends Error {
  constructor() {
    super('control refused');
  }
}

/** Go's context.Canceled, as its net package words it. */
export class Canceled extends Error {
  /** @param during what was under way, where that is told */
  constructor(during = '') {
    super(`${during}operation was canceled`);
  }
}

/** Go's io.EOF as the cause of an operation's error. */
export class EndOfFile extends Error {
  constructor() {
    super('EOF');
  }
}

/** An error of Go's os package that names a file. */
export class PathError extends Error {
  constructor(op, path, cause) {
    super(`${op} ${path}: ${cause.message}`, { cause });
  }
}

export class FileClosed extends Error {
  constructor() {
    super('file already closed');
  }
}

/** A system error on its own, without the name of a call. */
export class Errno extends Error {
  constructor(text, code, errno) {
    super(text);
    this.code = code;
    this.errno = errno;
  }
}

const errnoOf = (code) => [...getSystemErrorMap()].find(([, [name]]) => name === code)?.[0];

/** A SyscallError by the error's name. */
export function syscallError(syscall, code) {
  return new spliceway.SyscallError(syscall, errnoOf(code));
}

/** The system error behind an error, as Go's syscall.Errno. */
export function bareErrno(error) {
  const { syscall, code, errno } = deepest(error);
  const { message } = new spliceway.SyscallError('', errno);
  return new Errno(syscall === undefined ? deepest(error).message : message.slice(2), code, errno);
}

/** A failed call of node:fs as Go's os package reports it. */
export function pathError(op, path, { errno, code }) {
  const { message } = new spliceway.SyscallError('', errno);
  return new PathError(op, path, new Errno(message.slice(2), code, errno));
}

/** An error and all that lie behind it. */
function chain(error) {
  const all = [];
  for (let e = error; e instanceof Error && !all.includes(e); e = e.cause) all.push(e);
  return all;
}

const deepest = (error) => chain(error).findLast(({ errno }) => typeof errno === 'number') ?? error;

// Node has one name for two of the system's, and Go the other.
const goName = (code) => (code === 'ENOTSUP' ? 'EOPNOTSUPP' : code);

const has = (code) => (e) => e.code === code;
const is = (type) => (e) => e instanceof type;
const isMissing = (e) => e.message.endsWith('missing address');
const isDNS = (e) => e.name === 'DNSError';
const isSystem = (e) => typeof e.errno === 'number' && !isDNS(e) && !/^getaddrinfo/.test(e.syscall ?? '');

// In Go's order: the first that something in the chain answers to.
const KINDS = [
  ['timeout', (e) => e.code === 'ERR_SPLICEWAY_DEADLINE_EXCEEDED' && !isDNS(e) && !isDNS(e.cause ?? {})],
  ['closed', has('ERR_SPLICEWAY_CLOSED')],
  ['closedPipe', (e) => /CLOSED_PIPE$/.test(e.code) || e.message === 'io: read/write on closed pipe'],
  ['canceled', is(Canceled)],
  ['notFound', (e) => isDNS(e) && e.notFound],
  ['dns', isDNS],
  ['writeToConnected', (e) => e.message === 'use of WriteTo with pre-connected connection'],
  ['tooLong', (e) => e.message === 'bufio.Scanner: token too long'],
  ['address', (e) => e.name === 'AddrError' && !isMissing(e)],
  ['parse', (e) => e.name === 'ParseError'],
  ['unknownNetwork', (e) => e.name === 'UnknownNetworkError'],
  ['errno', isSystem],
  ['fileClosed', is(FileClosed)],
  ['eof', is(EndOfFile)],
  ['user', is(ControlRefused)],
  ['missingAddress', isMissing],
];

function kindOf(error) {
  const all = chain(error);
  const dns = all.findIndex(isDNS);
  // What lies behind a failed lookup does not say what kind of error it is.
  const seen = dns < 0 ? all : all.slice(0, dns + 1);
  return KINDS.find(([, test]) => seen.some((e) => test(e)))?.[0] ?? 'other';
}

const textOf = (addr) => (addr === null || addr === undefined ? null : `${addr}`);

const TEMPORARY = new Set(['EINTR', 'EMFILE', 'ENFILE', 'ETIMEDOUT', 'EAGAIN']);

function judgement(all) {
  const told = all.find((e) => typeof e.timeout === 'boolean' && typeof e.temporary === 'boolean');
  if (told !== undefined) return { timeout: told.timeout, temporary: told.temporary };
  if (all.some(has('ERR_SPLICEWAY_DEADLINE_EXCEEDED'))) return { timeout: true, temporary: true };
  const code = all.find(isSystem)?.code;
  return { timeout: code === 'ETIMEDOUT' || code === 'EAGAIN', temporary: TEMPORARY.has(code) };
}

/** An error in its comparable form. */
export function errorForm(thrown) {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const all = chain(error);
  const form = { text: error.message, kind: kindOf(error), ...judgement(all) };
  if (error instanceof spliceway.OpError) {
    Object.assign(form, { op: error.op, net: error.net, source: textOf(error.source), addr: textOf(error.addr) });
  }
  const system = all.findLast(isSystem);
  if (system !== undefined) form.code = goName(system.code);
  const called = all.find((e) => isSystem(e) && typeof e.syscall === 'string' && e.syscall !== '');
  if (called !== undefined) form.syscall = called.syscall;
  return form;
}
