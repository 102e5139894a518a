// From a client to the target that answers: each is tried once, for as long as the client is there.

import { type DialerOptions, dial } from '../dial';
import type { OpError } from '../errors';
import type { TCPConn } from '../tcp-conn';
import type { UnixConn } from '../unix-conn';
import type { Attempt } from './health';
import type { Target } from './target';

/** A connection to a target, which counts as one of its own until its end is told. */
export interface Upstream {
  readonly target: Target;
  readonly conn: TCPConn | UnixConn;
}

/** What a client's attempts go by, and who is told of them. */
export interface Dialing {
  readonly options: DialerOptions;
  /** Writes what the target is to read before the client's bytes. */
  greet(conn: TCPConn | UnixConn): Promise<unknown>;
  attemptFailed(target: Target, error: OpError): void;
  wentDown(target: Target, error: OpError): void;
  cameUp(target: Target, downFor: number): void;
}

/** The first target that answers; null where none does, and when the signal aborts. */
export async function connect(
  targets: Iterable<Target>,
  dialing: Dialing,
  signal: AbortSignal,
): Promise<Upstream | null> {
  for (const target of targets) {
    const conn = await attempt(target, dialing, signal);
    if (conn !== null) return { target, conn };
    if (signal.aborted) return null;
  }
  return null;
}

async function attempt(target: Target, dialing: Dialing, signal: AbortSignal): Promise<Upstream['conn'] | null> {
  const { downFor } = target.health;
  const attempt = target.health.begin();
  target.active++;
  try {
    const conn = await dialAndGreet(target, dialing, signal);
    target.total++;
    if (attempt.succeeded()) dialing.cameUp(target, downFor);
    return conn;
  } catch (error) {
    target.active--;
    if (signal.aborted) attempt.cancelled();
    else failed(target, attempt, error as OpError, dialing);
    return null;
  }
}

async function dialAndGreet(target: Target, dialing: Dialing, signal: AbortSignal): Promise<Upstream['conn']> {
  const conn = await dial(target.network, target.address, { ...dialing.options, signal });
  try {
    await dialing.greet(conn);
    return conn;
  } catch (error) {
    conn.close();
    throw error;
  }
}

function failed(target: Target, attempt: Attempt, error: OpError, dialing: Dialing): void {
  target.failed++;
  dialing.attemptFailed(target, error);
  if (isOurs(error)) attempt.cancelled();
  else if (attempt.failed()) dialing.wentDown(target, error);
}

// What this process, or this machine, has run out of: the target has no part in it.
const OURS = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EADDRNOTAVAIL']);

const isOurs = ({ code }: OpError): boolean => OURS.has(code);
