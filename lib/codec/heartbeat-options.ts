// The heartbeat of a connection of frames, as its user asks for it.

import { checkInteger, checkNumber, checkObject } from '../check';
import type { Conn } from '../conn';
import { invalidType, invalidValue, outOfRange } from '../errors';
import { checkInterval } from '../health/health';
import { SocketConn } from '../stream/socket-conn';
import type { HeaderBody } from './header-body';
import { type CheckedHeartbeat, Heartbeat } from './heartbeat';
import type { CheckedMessages } from './options';

export interface HeartbeatOptions {
  /** Milliseconds from one PING to the next, 1 and more; each comes earlier by a random tenth at most. Default 5000. */
  interval?: number | undefined;
  /**
   * Bytes of frames that the peer may send before they are received here: at least those of the largest frame
   * with its header. Default: twice that, and 1 MiB at least.
   */
  window?: number | undefined;
  /** Milliseconds for which the peer's JavaScript is stuck when it counts as stalled, 1 and more. Default 1000. */
  stalledAfter?: number | undefined;
  /** Misses in a row that make it degraded, 1 to 100. Default 3. */
  degradedAfter?: number | undefined;
  /** Replies may take `median + k * IQR` of the last ten round trips, 0 to 100. Default 1.5. */
  k?: number | undefined;
  /** Milliseconds that a reply has at least, 1 and more. Default 250. */
  replyFloor?: number | undefined;
  /** Milliseconds that a reply has at most, and that pass at most between `interval` and lost. Default 8000. */
  replyCap?: number | undefined;
}

const DEFAULT_INTERVAL = 5000;
const LEAST_WINDOW = 1024 * 1024;
const LARGEST_WINDOW = 2 ** 31 - 1;
const MOST = 100;

// Where in that order they stand.
const HEALTH_OPTIONS = 18;
const INTERVAL = 0;
const K = 4;
const REPLY_FLOOR = 5;
const REPLY_CAP = 6;
const DEGRADED_AFTER = 7;
const STALLED_AFTER = 8;

/** What there is besides `heartbeat`. */
interface Framed {
  heartbeat?: boolean | HeartbeatOptions | undefined;
  session?: boolean | undefined;
}

/** Whether a heartbeat is asked for. */
export function beats({ heartbeat }: Framed): boolean {
  return heartbeat !== undefined && heartbeat !== false;
}

/** The connection with a heartbeat beneath its frames; null where none is asked for. */
export function heartbeatOver(
  conn: Conn,
  framing: HeaderBody,
  { maxFrame, frameTimeout, resynchronise }: CheckedMessages,
  options: Framed,
): Heartbeat | null {
  const { heartbeat, session } = options;
  if (!beats(options)) return null;
  if (heartbeat !== true && (typeof heartbeat !== 'object' || heartbeat === null)) {
    throw invalidType('options.heartbeat', 'of type boolean or an object', heartbeat);
  }
  if (session === false) throw invalidValue('options.session', 'cannot be false with a heartbeat', session);
  if (resynchronise) {
    throw invalidValue('options.onBadFrame', "cannot be 'resynchronise' with a heartbeat", 'resynchronise');
  }
  if (!(conn instanceof SocketConn) || conn.net === 'unixpacket') {
    throw invalidValue('conn', 'cannot have a heartbeat: it is neither a TCP connection nor a Unix stream', conn);
  }
  const checked = heartbeatOptions(heartbeat === true ? {} : heartbeat, framing.head() + maxFrame);
  return new Heartbeat(conn, framing, maxFrame, frameTimeout, checked);
}

/** @param largest bytes of the largest frame */
function heartbeatOptions(options: HeartbeatOptions, largest: number): CheckedHeartbeat {
  checkObject('options.heartbeat', options);
  return { window: windowOf(options, largest), health: healthOf(options) };
}

function windowOf({ window }: HeartbeatOptions, largest: number): number {
  if (largest > LARGEST_WINDOW) {
    throw invalidValue('options.maxFrame', 'is too large for a heartbeat, whose window would not hold it', largest);
  }
  if (window === undefined) return Math.min(Math.max(2 * largest, LEAST_WINDOW), LARGEST_WINDOW);
  checkInteger('options.heartbeat.window', window, largest, LARGEST_WINDOW);
  return window;
}

function healthOf(options: HeartbeatOptions): Float64Array {
  const values = new Float64Array(HEALTH_OPTIONS).fill(Number.NaN);
  const { interval = DEFAULT_INTERVAL, stalledAfter, degradedAfter, k, replyFloor, replyCap } = options;
  const put = (at: number, name: string, value: unknown, check: (name: string, value: unknown) => void) => {
    if (value === undefined) return;
    check(`options.heartbeat.${name}`, value);
    values[at] = value as number;
  };
  put(INTERVAL, 'interval', interval, checkInterval);
  put(STALLED_AFTER, 'stalledAfter', stalledAfter, checkInterval);
  put(DEGRADED_AFTER, 'degradedAfter', degradedAfter, (name, value) => checkInteger(name, value, 1, MOST));
  put(K, 'k', k, checkFactor);
  put(REPLY_FLOOR, 'replyFloor', replyFloor, checkInterval);
  put(REPLY_CAP, 'replyCap', replyCap, checkInterval);
  if ((values[REPLY_FLOOR] as number) > (replyCap ?? Number.POSITIVE_INFINITY)) {
    throw outOfRange('options.heartbeat.replyFloor', '<= replyCap', replyFloor);
  }
  return values;
}

function checkFactor(name: string, value: unknown): void {
  checkNumber(name, value);
  if (!(value >= 0 && value <= MOST)) throw outOfRange(name, `>= 0 and <= ${MOST}`, value);
}
