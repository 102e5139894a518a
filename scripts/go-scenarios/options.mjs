// Deadlines, socket options, and the way down to the descriptor.

import { readFileSync } from 'node:fs';
import { keepAliveConfig } from './creating.mjs';
import { bareErrno } from './errors.mjs';
import { bad, done, fail, unsupported } from './results.mjs';

const SETTERS = { read: 'setReadDeadline', write: 'setWriteDeadline' };

function instant(ms = 0) {
  if (ms === 0) return null;
  return ms < 0 ? 1000 : Date.now() + ms;
}

/** A verb that calls one method with one argument. */
function setter(method, argument) {
  return (_world, step, endpoint) =>
    endpoint === undefined ? bad(step) : done(() => endpoint.inner[method](argument(step)));
}

// Levels and names of socket options, by platform.
const LINUX = {
  SO_REUSEADDR: [1, 2],
  SO_TYPE: [1, 3],
  SO_BROADCAST: [1, 6],
  SO_KEEPALIVE: [1, 9],
  TCP_NODELAY: [6, 1],
  TCP_KEEPIDLE: [6, 4],
  TCP_KEEPINTVL: [6, 5],
  TCP_KEEPCNT: [6, 6],
  IPV6_V6ONLY: [41, 26],
};
const DARWIN = {
  SO_REUSEADDR: [0xffff, 0x4],
  SO_TYPE: [0xffff, 0x1008],
  SO_BROADCAST: [0xffff, 0x20],
  SO_KEEPALIVE: [0xffff, 0x8],
  TCP_NODELAY: [6, 1],
  TCP_KEEPIDLE: [6, 0x10],
  TCP_KEEPINTVL: [6, 0x101],
  TCP_KEEPCNT: [6, 0x102],
  IPV6_V6ONLY: [41, 27],
};
const SOCKET_OPTIONS = { linux: LINUX, darwin: DARWIN }[process.platform];

/** Whether the numbers of socket options are known here. */
export const knowsSocketOptions = SOCKET_OPTIONS !== undefined;

// Flags of the descriptor, which are no socket options.
const FLAGS = { CLOEXEC: 0o2000000, NONBLOCK: 0o4000 };

function flagOf(fd, name) {
  const [, flags] = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'));
  return (Number.parseInt(flags, 8) & FLAGS[name]) === 0 ? 0 : 1;
}

function sockopt(_world, { name }, { inner }) {
  let value = -1;
  let failure = null;
  inner.syscallConn().control((fd) => {
    try {
      value = Object.hasOwn(FLAGS, name) ? flagOf(fd, name) : inner.getOption(...SOCKET_OPTIONS[name]);
    } catch (error) {
      failure = error;
    }
  });
  if (failure === null) return { ok: true, value };
  return fail(failure.errno === undefined ? failure : bareErrno(failure));
}

function rawControl(_world, _step, endpoint) {
  if (typeof endpoint?.inner.syscallConn !== 'function') return unsupported();
  let called = false;
  const result = done(() =>
    endpoint.inner.syscallConn().control(() => {
      called = true;
    }),
  );
  return { ...result, called };
}

export const verbs = {
  deadline(_world, { which, ms }, { inner }) {
    return done(() => inner[SETTERS[which] ?? 'setDeadline'](instant(ms)));
  },
  linger: setter('setLinger', ({ sec = 0 }) => sec),
  noDelay: setter('setNoDelay', ({ value }) => value),
  setKeepAlive: setter('setKeepAlive', ({ value }) => value),
  keepAlivePeriod: setter('setKeepAlivePeriod', ({ ms = 0 }) => ms),
  keepAliveConfig: setter('setKeepAliveConfig', ({ keepAlive }) => keepAliveConfig(keepAlive)),
  readBuffer: setter('setReadBuffer', ({ n = 0 }) => n),
  writeBuffer: setter('setWriteBuffer', ({ n = 0 }) => n),
  sockopt,
  rawControl,
};
