// Native calls that throw, as calls that answer with a status.

import { constants } from 'node:os';

const { errno } = constants;
export const EACCES = -errno.EACCES;
export const EADDRINUSE = -errno.EADDRINUSE;
export const EALREADY = -errno.EALREADY;
export const EBADF = -errno.EBADF;
export const ECANCELED = -errno.ECANCELED;
export const ECONNREFUSED = -errno.ECONNREFUSED;
export const EINVAL = -errno.EINVAL;
export const EMFILE = -errno.EMFILE;
export const ENFILE = -errno.ENFILE;
export const ENOBUFS = -errno.ENOBUFS;
export const ENOENT = -errno.ENOENT;
export const ENOMEM = -errno.ENOMEM;
export const ENOTCONN = -errno.ENOTCONN;
export const ETIMEDOUT = -errno.ETIMEDOUT;

/** 0, or the negative errno of what the call threw. */
export function statusOf(call: () => void): number {
  try {
    call();
    return 0;
  } catch (error) {
    const { errno } = error as { errno?: unknown };
    if (typeof errno !== 'number') throw error;
    return errno;
  }
}
