// The stream that Node lays around one of another make, to run TLS or HTTP/2 over it. Over a socket of its own
// they write to the handle, where neither an end that came meanwhile nor a connect that is yet to come is an error.

import type { Duplex } from 'node:stream';

const WRAPPER = 'node:internal/js_stream_socket';
/** What it calls at the end of the stream, where it can be told from other listeners. */
const EOF = '_handle.emitEOF()';
/** Frames between the wrapper's write() and whoever asks. */
const DEPTH = 20;

/** Whether this is the wrapper's call. It takes a stack trace: for what is an error otherwise. */
export function isCalledByWrapper(): boolean {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = DEPTH;
  const { stack } = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  return stack?.includes(WRAPPER) === true;
}

/** Whether there is such a wrapper: to be asked before it has heard of the stream's end. */
export function isWrapped(stream: Duplex): boolean {
  return stream.listeners('end').some((listener) => `${listener}`.includes(EOF));
}
