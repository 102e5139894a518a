// What steps report: their success, the bytes and addresses they saw, or their error.

import { createHash } from 'node:crypto';
import { errorForm } from './errors.mjs';

export const fail = (error) => ({ err: errorForm(error) });

export const bad = (step) => ({ bad: `step ${step.do} does not apply to ${step.on ?? ''}` });

export const unsupported = () => ({ unsupported: true });

/** For calls that answer at once, or throw. */
export function done(call) {
  try {
    call();
    return { ok: true };
  } catch (error) {
    return fail(error);
  }
}

export function addrForm(addr) {
  return addr === null || addr === undefined ? null : { network: addr.network, text: `${addr}` };
}

export function connForm(conn) {
  return { ok: true, local: addrForm(conn.localAddr), remote: addrForm(conn.remoteAddr) };
}

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

const isPlain = (bytes) => bytes.every((b) => (b >= 0x20 && b <= 0x7e) || b === 9 || b === 10 || b === 13);

const isShown = (bytes) => bytes.length <= 96 && isPlain(bytes);

// A lone byte above 0x7f is no text: the replacement character stands for it.
const character = (byte) => (byte < 0x80 ? String.fromCharCode(byte) : '\ufffd');

function runsOf(bytes) {
  const runs = [];
  for (let i = 0; i < bytes.length; ) {
    let end = i + 1;
    while (end < bytes.length && bytes[end] === bytes[i]) end++;
    runs.push([character(bytes[i]), end - i]);
    i = end;
  }
  return runs;
}

/** Bytes that were read. */
export function payloadForm(bytes, show) {
  const form = { n: bytes.length };
  if (show === 'runs') form.runs = runsOf(bytes);
  else if (isShown(bytes)) form.data = bytes.toString('latin1');
  else form.sha = digest(bytes);
  return form;
}

/** A scanner's token. */
export function tokenForm(bytes) {
  return isShown(bytes) ? bytes.toString('latin1') : { n: bytes.length, sha: digest(bytes) };
}

export const READ = { ok: true };
export const END = { ok: true, eof: true };

/** What a reading verb reports: the bytes, and how it ended. */
export function readForm(bytes, show, outcome) {
  return { ...payloadForm(bytes, show), ...outcome };
}

/** The same after a failure. */
export function failedReadForm(bytes, show, error) {
  const form = { ...payloadForm(bytes, show), ...fail(error) };
  if (form.n === 0) delete form.data;
  return form;
}

/** A write that failed after n of `total` bytes. */
export function failedWriteForm(n, total, error) {
  return { ...fail(error), n: n > 0 && n < total ? 'partial' : n };
}
