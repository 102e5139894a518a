// What the two ends of a connection of frames say to each other besides their frames: requests and their
// responses, and that no more requests are taken. docs/wire-format.md has the bodies.

import type { Conn } from '../conn';
import { asError, ErrClosed, invalidReturn, textOf } from '../errors';
import { rejected } from '../pending';
import { Call, type FrameCallOptions, isLimited, opError } from './call';
import { type Body, lengthOf } from './outbox';
import type { Sending } from './sending';

/** The commands of control frames; with commands of two bytes, these with 0xff00 added. */
export const GOAWAY = 0xf0;
export const PING = 0xf1;
export const PONG = 0xf2;
export const CREDIT = 0xf3;
export const REQUEST = 0xf4;
export const RESPONSE = 0xf5;

// How a response ends its request.
const OK = 0;
const FAILED = 1;
const NO_HANDLER = 2;
const GOING_AWAY = 3;

const ID = 4;
/** The least that `maxFrame` may be: a PING has to fit. */
export const LARGEST_CONTROL = 16;
/** How much longer than its body a request's or a response's frame is at most. */
export const OVERHEAD = 6;
const NO_BYTES = Buffer.alloc(0);
const LONGEST_REASON = 1024;
// Requests of a peer that are answered at a time; nothing more is read meanwhile.
const SERVED_AT_ONCE = 128;

const REASONS: Readonly<Record<number, [text: string, code: string]>> = {
  [FAILED]: ['the request failed', 'ERR_SPLICEWAY_REQUEST_FAILED'],
  [NO_HANDLER]: ['the peer answers no requests', 'ERR_SPLICEWAY_NO_HANDLER'],
  [GOING_AWAY]: ['the peer takes no more requests', 'ERR_SPLICEWAY_GOING_AWAY'],
};

/** A request that the peer did not answer with a body. */
export class RequestError extends Error {
  /** `ERR_SPLICEWAY_REQUEST_FAILED`, `ERR_SPLICEWAY_NO_HANDLER`, `ERR_SPLICEWAY_GOING_AWAY` */
  readonly code: string;

  constructor(status: number, reason = '') {
    const [text, code] = REASONS[status] ?? (REASONS[FAILED] as [string, string]);
    super(reason === '' ? text : `${text}: ${reason}`);
    this.name = 'RequestError';
    this.code = code;
  }
}

/** Answers a request with a body; nothing stands for an empty one. What it throws, the peer is told the message of. */
export type RequestHandler = (request: {
  command: number;
  body: Buffer;
}) => Body | undefined | Promise<Body | undefined>;

/** What is done with the body of a control frame. A promise holds up what comes after it. */
export type ControlHandler = (body: Buffer) => unknown;

export class Session {
  /** The peer has said that it takes no more requests. */
  peerLeaves = false;
  private leaving = false;
  private over = false;
  private handler: RequestHandler | null = null;
  private readonly pending = new Map<number, Call<Buffer>>();
  private readonly controls = new Map<number, ControlHandler>();
  private nextId = 1;
  private lastServed = 0;
  private serving = 0;
  private whenFree: (() => void) | null = null;
  private readonly whenIdle: (() => void)[] = [];

  /** @param demand is told whether frames have to be read although nobody receives */
  constructor(
    private readonly conn: Conn,
    private readonly sending: Sending,
    private readonly commandBytes: number,
    private readonly maxFrame: number,
    private readonly demand: (on: boolean) => void,
  ) {
    this.onControl(GOAWAY, (body) => this.heardGoAway(body));
    this.onControl(REQUEST, (body) => this.heardRequest(body));
    this.onControl(RESPONSE, (body) => this.heardResponse(body));
  }

  /** Control frames that nobody listens for are ignored: a later version may have more of them. */
  onControl(command: number, handler: ControlHandler): void {
    this.controls.set(command, handler);
  }

  /** A control frame arrived. */
  heard(command: number, body: Buffer): unknown {
    return this.controls.get(command & 0xff)?.(body);
  }

  say(command: number, body: Body): Promise<void> {
    return this.sending.urge(this.wireCommand(command), body);
  }

  private wireCommand(command: number): number {
    return this.commandBytes === 1 ? command : 0xff00 | command;
  }

  request(command: number, body: Body, options?: FrameCallOptions): Promise<Buffer> {
    if (options?.signal?.aborted === true) return Promise.reject(options.signal.reason);
    if (this.over || this.leaving) return rejected(opError('request', this.conn, ErrClosed));
    if (this.peerLeaves) return rejected(new RequestError(GOING_AWAY));
    const id = this.freeId();
    const call = new Call<Buffer>('request', this.conn);
    this.pending.set(id, call);
    if (isLimited(options)) call.limit(options, () => this.forget(id));
    if (!this.pending.has(id)) return call.promise;
    this.demand(true);
    const sent = this.sending.send(this.wireCommand(REQUEST), this.requestBody(id, command, body), options);
    sent.catch((error: unknown) => {
      if (this.forget(id)) call.fail(error);
    });
    return call.promise;
  }

  private freeId(): number {
    while (this.pending.has(this.nextId)) this.nextId = (this.nextId + 1) >>> 0;
    const id = this.nextId;
    this.nextId = (id + 1) >>> 0;
    return id;
  }

  private requestBody(id: number, command: number, body: Body): Buffer {
    const head = ID + this.commandBytes;
    const bytes = Buffer.allocUnsafe(head + lengthOf(body));
    bytes.writeUInt32BE(id, 0);
    bytes.writeUIntBE(command, ID, this.commandBytes);
    put(bytes, body, head);
    return bytes;
  }

  /** Whether the request was waited for. */
  private forget(id: number): boolean {
    const waited = this.pending.delete(id);
    if (this.pending.size === 0 && this.handler === null) this.demand(false);
    this.tellIfIdle();
    return waited;
  }

  private heardResponse(body: Buffer): void {
    if (body.length <= ID) return;
    const id = body.readUInt32BE(0);
    const call = this.pending.get(id);
    // Late, for one that was given up.
    if (call === undefined) return;
    this.forget(id);
    const status = body[ID] as number;
    const rest = body.subarray(ID + 1);
    if (status === OK) call.resolve(rest);
    else call.fail(new RequestError(status, rest.toString('utf8', 0, LONGEST_REASON)));
  }

  onRequest(handler: RequestHandler): void {
    this.handler = handler;
    this.demand(true);
  }

  private heardRequest(body: Buffer): Promise<void> | undefined {
    const head = ID + this.commandBytes;
    if (body.length < head) return undefined;
    void this.serve(body.readUInt32BE(0), body.readUIntBE(ID, this.commandBytes), body.subarray(head));
    if (this.serving < SERVED_AT_ONCE) return undefined;
    return new Promise((resolve) => {
      this.whenFree = resolve;
    });
  }

  // Until the kernel has the response: a peer that asks and does not read is not asked for more.
  private async serve(id: number, command: number, body: Buffer): Promise<void> {
    this.serving++;
    try {
      const [status, response] = await this.respond(id, command, body);
      await this.answer(id, status, response);
    } catch {
      // The connection is gone, and whoever asked with it.
    }
    this.serving--;
    this.whenFree?.();
    this.whenFree = null;
    this.tellIfIdle();
  }

  private async respond(id: number, command: number, body: Buffer): Promise<[status: number, body: Body]> {
    if (this.leaving) return [GOING_AWAY, NO_BYTES];
    if (this.handler === null) return [NO_HANDLER, NO_BYTES];
    this.lastServed = id;
    try {
      const response = (await this.handler({ command, body })) ?? NO_BYTES;
      this.checkResponse(response);
      return [OK, response];
    } catch (error) {
      return [FAILED, this.reasonOf(error)];
    }
  }

  /** No longer than its frame may be; a character has four bytes at most. */
  private reasonOf(error: unknown): string {
    const most = Math.min(LONGEST_REASON, this.maxFrame - OVERHEAD);
    return textOf(asError(error).message).slice(0, most / 4);
  }

  private checkResponse(response: unknown): void {
    if (typeof response !== 'string' && !(response instanceof Uint8Array)) {
      throw invalidReturn('the handler of requests', 'a string, a Buffer or a Uint8Array', response);
    }
    if (lengthOf(response) + OVERHEAD > this.maxFrame) throw new Error('the response is too large');
  }

  private answer(id: number, status: number, body: Body): Promise<void> {
    const bytes = Buffer.allocUnsafe(ID + 1 + lengthOf(body));
    bytes.writeUInt32BE(id, 0);
    bytes[ID] = status;
    put(bytes, body, ID + 1);
    return this.say(RESPONSE, bytes);
  }

  private heardGoAway(body: Buffer): void {
    this.peerLeaves = true;
    const last = body.length >= ID ? body.readUInt32BE(0) : 0;
    // Those after the last one that the peer has seen are safe to ask somebody else.
    for (const [id, call] of this.pending) {
      if (((id - last) | 0) <= 0 || !this.forget(id)) continue;
      call.fail(new RequestError(GOING_AWAY));
    }
  }

  /** Takes no more requests, and makes none; fulfils when those under way are done. */
  leave(): Promise<void> {
    if (!this.leaving) {
      this.leaving = true;
      const body = Buffer.alloc(ID);
      body.writeUInt32BE(this.lastServed, 0);
      void this.say(GOAWAY, body);
    }
    return this.idle();
  }

  /** Fulfils when no request is under way, of either end. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.whenIdle.push(resolve);
      this.tellIfIdle();
    });
  }

  private tellIfIdle(): void {
    if (this.pending.size > 0 || this.serving > 0) return;
    for (const tell of this.whenIdle.splice(0)) tell();
  }

  /** Whether requests of the peer's have a handler. */
  get answers(): boolean {
    return this.handler !== null;
  }

  /** Nothing more arrives. */
  end(error: Error): void {
    this.over = true;
    for (const [id, call] of this.pending) if (this.forget(id)) call.fail(error);
    this.whenFree?.();
  }
}

function put(bytes: Buffer, body: Body, at: number): void {
  if (typeof body === 'string') bytes.write(body, at);
  else bytes.set(body, at);
}
