// MessageConn: bodies over a connection, told apart in any of the ways there are.

import { checkIterable, checkMethods } from '../check';
import type { Conn } from '../conn';
import { checked } from '../pending';
import { checkCall, type FrameCallOptions } from './call';
import { checkFraming, type Framing } from './framing';
import { Messages } from './messages';
import type { MessageOptions } from './options';
import type { Body } from './outbox';
import { decodeBody, type Serialiser } from './serialiser';
import type { UnseenFrame } from './unseen';

export interface MessageConnOptions<In = Buffer, Out = Uint8Array | string> extends MessageOptions {
  /** What messages are made of bodies with, and bodies of messages. Default: a message is its body. */
  serialiser?: Serialiser<In, Out> | undefined;
}

const NO_CONTROL = -1;

/**
 * Messages over any Conn, as FramedConn has them, without commands: lengths, lines, delimiters, netstrings.
 * With a serialiser they are what it makes of bodies: `In` is what is received, `Out` what is sent.
 */
export class MessageConn<In = Buffer, Out = Uint8Array | string> extends Messages<In> {
  private readonly serialiser: Serialiser<In, Out> | null;

  /** @throws with the codes `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` and `ERR_OUT_OF_RANGE` for wrong options */
  constructor(conn: Conn, framing: Framing, options: MessageConnOptions<In, Out> = {}) {
    checkFraming('framing', framing);
    super(conn, framing, options, NO_CONTROL);
    const { serialiser = null } = options;
    if (serialiser !== null) checkMethods('options.serialiser', serialiser, 'encode', 'decode');
    this.serialiser = serialiser;
  }

  /**
   * Sends a message, of up to `maxFrame` bytes; fulfils when the kernel has all of it. The memory that its body lies in
   * must not change until then.
   * @throws what the serialiser throws; with the code `ERR_INVALID_ARG_VALUE` where the framing cannot express the
   *   body, such as a line with a newline; OpError `op: 'send'` or `'write'`; BufferFullError, as `whenFull` has it
   */
  send(message: Out, options?: FrameCallOptions): Promise<void> {
    let body: Body;
    try {
      body = this.bodyOf(message);
      checkCall(options);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.sendFrame(0, body, options);
  }

  /** Sends messages one after the other; fulfils when the kernel has all of them. If one is wrong, none is sent. */
  sendMany(messages: Iterable<Out>, options?: FrameCallOptions): Promise<void> {
    const bodies: Body[] = [];
    return checked(
      () => {
        checkIterable('messages', messages);
        for (const message of messages) bodies.push(this.bodyOf(message));
        checkCall(options);
      },
      async () => {
        await Promise.all(new Set(bodies.map((body) => this.sendFrame(0, body, options))));
      },
    );
  }

  private bodyOf(message: Out): Body {
    const body: unknown = this.serialiser === null ? message : this.serialiser.encode(message);
    this.checkBody(body);
    return body;
  }

  /** @internal */
  protected override delivered(frame: UnseenFrame): In {
    const body = frame.show();
    // Without a serialiser In is Buffer.
    return this.serialiser === null ? (body as In) : decodeBody(this.serialiser, body);
  }
}
