// FramedConn: commands with bodies over a connection, in frames with a header.

import { checkBoolean, checkFunction, checkInteger, checkIterable, checkObject } from '../check';
import type { Conn } from '../conn';
import { ErrClosed, invalidType } from '../errors';
import type { Health } from '../health/health';
import { checked } from '../pending';
import { checkCall, type FrameCallOptions, opError } from './call';
import { type Frame, frameOf } from './decoder';
import { LARGEST_BODY } from './framing';
import { HeaderBody, type HeaderBodyOptions } from './header-body';
import type { Heartbeat } from './heartbeat';
import { beats, checkHeartbeat, type HeartbeatOptions, heartbeatOver } from './heartbeat-options';
import { Messages } from './messages';
import { type MessageOptions, messageOptions } from './options';
import type { Body } from './outbox';
import { type ControlHandler, LARGEST_CONTROL, OVERHEAD, type RequestHandler, Session } from './session';
import type { UnseenFrame } from './unseen';
import type { AckedSend } from './waiting-send';

export interface FramedConnOptions extends MessageOptions, HeaderBodyOptions {
  /**
   * The peer is a FramedConn with this option, too: requests, and GOAWAY when one of them shuts down. Without
   * it frames of all commands are the peer's own, and nothing is sent but what send() is given. Default false.
   */
  session?: boolean | undefined;
  /**
   * The peer has this, too. The two ends beat on I/O threads, whatever JavaScript does, so that a peer that is
   * gone, busy or ill is told apart (`health`), and neither sends more than the other has room for. Over TCP and
   * Unix streams; it implies `session`, and excludes `onBadFrame: 'resynchronise'`. Default false.
   */
  heartbeat?: boolean | HeartbeatOptions | undefined;
}

/** A frame that is to be sent. */
export interface OutgoingFrame {
  /** 0 to 0xef, or to 0xffef with commands of two bytes. */
  command: number;
  /** Up to `maxFrame` bytes; a string is sent as UTF-8. */
  body: Uint8Array | string;
}

const NO_CONTROL = -1;
const RESERVED = 16;

function sessionOf(options: FramedConnOptions): { framing: HeaderBody; session: boolean } {
  checkObject('options', options);
  const { session = beats(options), maxFrame } = options;
  checkBoolean('options.session', session);
  if (session && maxFrame !== undefined) checkInteger('options.maxFrame', maxFrame, LARGEST_CONTROL, LARGEST_BODY);
  return { framing: new HeaderBody(options), session };
}

/** @internal What the constructor says of options, without a connection. */
export function checkFramedOptions(options: FramedConnOptions): void {
  const { framing } = sessionOf(options);
  checkHeartbeat(framing, messageOptions(framing, options), options);
}

/**
 * Frames of a command and a body over any Conn, each whole or not at all.
 *
 * Frames that are sent before the next turn of the event loop, or while a write is under way, go to the
 * kernel together. `await send()` is back-pressure: it fulfils when the kernel has the frame.
 */
export class FramedConn extends Messages<Frame> {
  private readonly session: Session | null;
  private readonly largestCommand: number;
  private readonly heartbeat: Heartbeat | null;

  /** @throws with the codes `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` and `ERR_OUT_OF_RANGE` for wrong options */
  constructor(conn: Conn, options: FramedConnOptions = {}) {
    const { framing, session } = sessionOf(options);
    const reserved = 2 ** (8 * framing.commandBytes) - RESERVED;
    let heartbeat: Heartbeat | null = null;
    super(conn, framing, options, session ? reserved : NO_CONTROL, (checked) => {
      heartbeat = heartbeatOver(conn, framing, checked, options);
      return heartbeat ?? conn;
    });
    this.heartbeat = heartbeat;
    this.largestCommand = reserved - 1;
    const demand = (on: boolean) => this.intake.demand(on);
    this.session = session ? new Session(conn, this.sending, framing.commandBytes, this.maxFrame, demand) : null;
  }

  /**
   * Sends a frame; fulfils when the kernel has all of it. A body that is bytes must not change until then.
   * A deadline or a signal that comes too late for the frame to be left out ends the call, not the frame.
   * @param command 0 to 0xef, or to 0xffef with commands of two bytes: those above are the library's own
   * @param body up to `maxFrame` bytes; a string is sent as UTF-8
   * @throws OpError `op: 'send'` or `'write'`; BufferFullError, as `whenFull` has it
   */
  send(command: number, body: Uint8Array | string, options?: FrameCallOptions): Promise<void> {
    try {
      this.checkFrame(command, body);
      checkCall(options);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.sendFrame(command, body, options);
  }

  /** Sends frames one after the other; fulfils when the kernel has all of them. If one is wrong, none is sent. */
  sendMany(frames: Iterable<OutgoingFrame>, options?: FrameCallOptions): Promise<void> {
    const list: OutgoingFrame[] = [];
    return checked(
      () => {
        checkIterable('frames', frames);
        for (const frame of frames) {
          checkObject('frame', frame);
          const { command, body } = frame;
          this.checkFrame(command, body);
          list.push({ command, body });
        }
        checkCall(options);
      },
      async () => {
        await Promise.all(new Set(list.map(({ command, body }) => this.sendFrame(command, body, options))));
      },
    );
  }

  /**
   * Sends a frame from the caller's memory, which is never copied, and tells how far it is. A deadline or a signal
   * takes back a frame that waits to be written; the body is the caller's again when `done` settles, and not before.
   * @throws for wrong arguments; all else is told by `done`
   */
  sendAcked(command: number, body: Uint8Array, options?: FrameCallOptions): AckedSend {
    this.checkFrame(command, body);
    if (typeof body === 'string') throw invalidType('body', 'an instance of Buffer or Uint8Array', body);
    checkCall(options);
    const error = this.isClosing ? opError('send', this.conn, ErrClosed) : null;
    return this.sending.sendAcked(command, body, error, options);
  }

  private checkFrame(command: unknown, body: unknown, overhead = 0): void {
    checkInteger('command', command, 0, this.largestCommand);
    this.checkBody(body, overhead);
  }

  /**
   * Sends a request and resolves to the body of its response. Any number may be under way, and are answered
   * in any order. Frames are read for it although nobody receives; those that are none of the session's wait
   * for receive(), and stop the reading where they come to 64 KiB. A body has to be 6 bytes smaller than maxFrame.
   * @throws RequestError where the peer answers with an error, or not at all; OpError `op: 'request'` or `'receive'`; with
   *   the code `ERR_INVALID_STATE` without the option `session`
   */
  request(command: number, body: Uint8Array | string, options?: FrameCallOptions): Promise<Buffer> {
    return checked(
      () => {
        this.checkSession();
        this.checkFrame(command, body, OVERHEAD);
        checkCall(options);
      },
      () => this.inSession().request(command, body, options),
    );
  }

  /**
   * Has requests answered: with what the handler returns, or its promise resolves to. 128 of them are
   * answered at a time. Frames are read for it, as for request(). A second handler takes the first one's place.
   * Where nothing else receives, the connection is shut down when the peer has sent FIN and its last request is answered.
   * @throws with the code `ERR_INVALID_STATE` without the option `session`
   */
  onRequest(handler: RequestHandler): void {
    this.checkSession();
    checkFunction('handler', handler);
    this.inSession().onRequest(handler);
  }

  /** How the connection is, and what becomes of it; null without the option `heartbeat`. */
  get health(): Health | null {
    return this.heartbeat?.health ?? null;
  }

  /** The peer shuts down: it takes no more requests. */
  get peerLeaves(): boolean {
    return this.session?.peerLeaves === true;
  }

  private checkSession(): void {
    if (this.session !== null) return;
    throw Object.assign(new Error('This takes a FramedConn with the option `session`'), { code: 'ERR_INVALID_STATE' });
  }

  private inSession(): Session {
    return this.session as Session;
  }

  // For layers on top that speak with control frames.

  /** @internal Has control frames of a command (0xf0 to 0xff, whatever their size on the wire) handled. */
  onControl(command: number, handler: ControlHandler): void {
    this.inSession().onControl(command, handler);
  }

  /** @internal Sends a control frame, past `maxBuffered`. */
  sendControl(command: number, body: Body): Promise<void> {
    return this.inSession().say(command, body);
  }

  /** @internal Has frames read although nobody receives. */
  keepReading(on: boolean): void {
    this.intake.demand(on);
  }

  protected override async finish(): Promise<void> {
    await this.session?.leave();
  }

  /** @internal */
  protected override delivered(frame: UnseenFrame): Frame {
    return frameOf(frame);
  }

  /** @internal */
  protected override control(command: number, body: Buffer): unknown {
    return this.session?.heard(command, body);
  }

  /** @internal */
  protected override intakeEnded(error: Error | null): void {
    super.intakeEnded(error);
    this.session?.end(error ?? opError('request', this.conn, ErrClosed));
    // Where requests are all that this end is there for, nobody else would see to it.
    if (error === null && this.session?.answers === true && !this.intake.wasAsked) this.leave();
  }

  /** @internal */
  protected override leave(): void {
    if (this.session === null) super.leave();
    else void this.session.idle().then(() => this.shutdown());
  }
}
