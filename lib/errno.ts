// System errors by number: their names, as Node has them, and their texts, as Go prints them.

import { getSystemErrorMap } from 'node:util';

// Go's own table (syscall/zerrors_linux.go) is the C library's text in lower case. Musl and macOS
// word several of them otherwise, and libuv too, so the ones a socket can meet are fixed here.
const TEXTS: Readonly<Record<string, string>> = {
  E2BIG: 'argument list too long',
  EACCES: 'permission denied',
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EAFNOSUPPORT: 'address family not supported by protocol',
  EAGAIN: 'resource temporarily unavailable',
  EALREADY: 'operation already in progress',
  EBADF: 'bad file descriptor',
  EBUSY: 'device or resource busy',
  ECONNABORTED: 'software caused connection abort',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EDESTADDRREQ: 'destination address required',
  EEXIST: 'file exists',
  EFAULT: 'bad address',
  EFBIG: 'file too large',
  EHOSTDOWN: 'host is down',
  EHOSTUNREACH: 'no route to host',
  EINPROGRESS: 'operation now in progress',
  EINTR: 'interrupted system call',
  EINVAL: 'invalid argument',
  EIO: 'input/output error',
  EISCONN: 'transport endpoint is already connected',
  EISDIR: 'is a directory',
  ELOOP: 'too many levels of symbolic links',
  EMFILE: 'too many open files',
  EMSGSIZE: 'message too long',
  ENAMETOOLONG: 'file name too long',
  ENETDOWN: 'network is down',
  ENETUNREACH: 'network is unreachable',
  ENFILE: 'too many open files in system',
  ENOBUFS: 'no buffer space available',
  ENODEV: 'no such device',
  ENOENT: 'no such file or directory',
  ENOMEM: 'cannot allocate memory',
  ENOPROTOOPT: 'protocol not available',
  ENOSPC: 'no space left on device',
  ENOSYS: 'function not implemented',
  ENOTCONN: 'transport endpoint is not connected',
  ENOTDIR: 'not a directory',
  ENOTSOCK: 'socket operation on non-socket',
  ENOTSUP: 'operation not supported', // libuv's name on Linux for what Go calls EOPNOTSUPP
  ENXIO: 'no such device or address',
  EOPNOTSUPP: 'operation not supported',
  EPERM: 'operation not permitted',
  EPIPE: 'broken pipe',
  EPROTO: 'protocol error',
  EPROTONOSUPPORT: 'protocol not supported',
  EPROTOTYPE: 'protocol wrong type for socket',
  EROFS: 'read-only file system',
  ESHUTDOWN: 'cannot send after transport endpoint shutdown',
  ESOCKTNOSUPPORT: 'socket type not supported',
  ESPIPE: 'illegal seek',
  ETIMEDOUT: 'connection timed out',
  ETOOMANYREFS: 'too many references: cannot splice',
  EXDEV: 'invalid cross-device link',
};

const known = getSystemErrorMap();
// Linux numbers that libuv has no name for; a setting or a rare call can still return them.
const UNNAMED: Readonly<Record<number, string>> =
  process.platform === 'linux'
    ? { 91: 'EPROTOTYPE', 92: 'ENOPROTOOPT', 94: 'ESOCKTNOSUPPORT', 109: 'ETOOMANYREFS' }
    : {};

/** The name of a negative errno: `ECONNRESET` for -104 on Linux. */
export function errnoCode(errno: number): string {
  return known.get(errno)?.[0] ?? UNNAMED[-errno] ?? `E${-errno}`;
}

/** The text of a negative errno, as Go prints it. */
export function errnoText(errno: number): string {
  return TEXTS[errnoCode(errno)] ?? known.get(errno)?.[1] ?? `errno ${-errno}`;
}
