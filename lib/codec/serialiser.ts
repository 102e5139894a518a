// What makes bodies of messages, and messages of bodies: whatever has these two functions.

import { asError } from '../errors';

/** Makes bodies of messages, and messages of bodies: json(), protobufJs(), … or two functions of your own. */
export interface Serialiser<In, Out = In> {
  /** The body that a message is sent as; a string is sent as UTF-8. */
  encode(message: Out): Uint8Array | string;
  /** The message that a body is. What it throws is the `cause` of a DecodeError. */
  decode(body: Buffer): In;
}

/** A body that its serialiser could not decode. The connection goes on: the next message may be a good one. */
export class DecodeError extends Error {
  readonly code = 'ERR_SPLICEWAY_DECODE';
  /** What the serialiser threw. */
  override readonly cause: Error;
  /** The body that it was given. */
  readonly body: Buffer;

  constructor(cause: Error, body: Buffer) {
    super(`a message of ${body.length} bytes cannot be decoded: ${cause.message}`);
    this.name = 'DecodeError';
    this.cause = cause;
    this.body = body;
  }
}

/** @throws DecodeError */
export function decodeBody<In>(serialiser: Pick<Serialiser<In>, 'decode'>, body: Buffer): In {
  try {
    return serialiser.decode(body);
  } catch (thrown) {
    throw new DecodeError(asError(thrown), body);
  }
}
