// MessageConn: bodies over a connection, told apart in any of the ways there are.

import type { Conn } from '../conn';
import { invalidType } from '../errors';
import { checked } from '../pending';
import { checkCall, type FrameCallOptions } from './call';
import { checkFraming, type Framing } from './framing';
import { Messages } from './messages';
import type { MessageOptions } from './options';

const NO_CONTROL = -1;

/** Messages over any Conn, as FramedConn has them, without commands: lengths, lines, delimiters, netstrings. */
export class MessageConn extends Messages<Buffer> {
  constructor(conn: Conn, framing: Framing, options: MessageOptions = {}) {
    checkFraming('framing', framing);
    super(conn, framing, options, NO_CONTROL);
  }

  /**
   * Sends a message; fulfils when the kernel has all of it. One that is bytes must not change until then.
   * @throws with the code `ERR_INVALID_ARG_VALUE` where the framing cannot express it: a line with a newline
   */
  send(body: Uint8Array | string, options?: FrameCallOptions): Promise<void> {
    try {
      this.checkBody(body);
      checkCall(options);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.sendFrame(0, body, options);
  }

  /** Sends messages one after the other; fulfils when the kernel has all of them. If one is wrong, none is sent. */
  sendMany(bodies: Iterable<Uint8Array | string>, options?: FrameCallOptions): Promise<void> {
    const list: (Uint8Array | string)[] = [];
    return checked(
      () => {
        if (typeof bodies !== 'object' || bodies === null) throw invalidType('bodies', 'an iterable of bodies', bodies);
        for (const body of bodies) {
          this.checkBody(body);
          list.push(body);
        }
        checkCall(options);
      },
      async () => {
        await Promise.all(new Set(list.map((body) => this.sendFrame(0, body, options))));
      },
    );
  }

  /** @internal */
  protected override messageOf(_command: number, body: Buffer): Buffer {
    return body;
  }
}
