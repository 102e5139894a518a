// A FramedConn that carries requests: what a HealingClient connects by itself.

import { FramedConn, type FramedConnOptions } from '../../codec/framed-conn';
import type { Body } from '../../codec/outbox';
import { BufferFullError } from '../../codec/sending';
import { RequestError } from '../../codec/session';
import { dial } from '../../dial';
import { asError, invalidType } from '../../errors';
import type { TargetSpec } from '../../proxy/target';
import type { Carrier, CarrierHealth, Verdict } from './carrier';

export class FramedCarrier implements Carrier {
  readonly health: CarrierHealth | null;
  readonly ended: Promise<string>;

  constructor(private readonly frames: FramedConn) {
    if (!(frames instanceof FramedConn)) throw invalidType('frames', 'an instance of FramedConn', frames);
    this.health = frames.health;
    this.ended = untilEnded(frames);
  }

  request(command: number, body: Body, options: { signal: AbortSignal }): Promise<Buffer> {
    return this.frames.request(command, body, options);
  }

  verdict(error: unknown): Verdict {
    if (error instanceof RequestError) return error.code === 'ERR_SPLICEWAY_GOING_AWAY' ? 'unsent' : 'failed';
    const ofCaller = error instanceof TypeError || error instanceof RangeError || error instanceof BufferFullError;
    return ofCaller ? 'failed' : 'unknown';
  }

  shutdown(options: { timeout: number }): Promise<void> {
    return this.frames.shutdown(options);
  }

  close(): boolean {
    return this.frames.close();
  }
}

// Frames that are no answers are not for us.
async function untilEnded(frames: FramedConn): Promise<string> {
  try {
    while ((await frames.receive()) !== null);
    return 'the peer has closed the connection';
  } catch (error) {
    return asError(error).message;
  }
}

/** Dials, and speaks frames from then on. The process does not live for the connection: it does for requests. */
export async function dialFramed(
  { network, address }: TargetSpec,
  options: FramedConnOptions,
  signal: AbortSignal,
): Promise<Carrier> {
  const conn = await dial(network, address, { signal });
  conn.unref();
  try {
    return new FramedCarrier(new FramedConn(conn, { ...options, session: true }));
  } catch (error) {
    conn.close();
    throw error;
  }
}
