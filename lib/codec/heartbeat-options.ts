// The heartbeat of a connection of frames, as its user asks for it.

import { checkInteger } from '../check';
import type { Conn } from '../conn';
import { invalidType, invalidValue } from '../errors';
import { type HealthOptions, settingsOf, wordsOf } from '../health/options';
import { SocketConn } from '../stream/socket-conn';
import type { HeaderBody } from './header-body';
import { type CheckedHeartbeat, Heartbeat } from './heartbeat';
import type { CheckedMessages } from './options';

export interface HeartbeatOptions extends HealthOptions {
  /**
   * Bytes of frames that the peer may send before they are received here: at least those of the largest frame
   * with its header, at most 2^31 - 1. Default: twice that, and 1 MiB at least.
   */
  window?: number | undefined;
}

const LEAST_WINDOW = 1024 * 1024;
const LARGEST_WINDOW = 2 ** 31 - 1;

/** What there is besides `heartbeat`. */
interface Framed {
  heartbeat?: boolean | HeartbeatOptions | undefined;
  session?: boolean | undefined;
}

/** @internal Whether a heartbeat is asked for. */
export function beats({ heartbeat }: Framed): boolean {
  return heartbeat !== undefined && heartbeat !== false;
}

/** @internal What it comes to, whatever the connection; null where none is asked for. */
export function checkHeartbeat(
  framing: HeaderBody,
  { maxFrame, resynchronise }: CheckedMessages,
  options: Framed,
): CheckedHeartbeat | null {
  const { heartbeat, session } = options;
  if (!beats(options)) return null;
  if (heartbeat !== true && (typeof heartbeat !== 'object' || heartbeat === null)) {
    throw invalidType('options.heartbeat', 'of type boolean or an object', heartbeat);
  }
  if (session === false) throw invalidValue('options.session', 'cannot be false with a heartbeat', session);
  if (resynchronise) {
    throw invalidValue('options.onBadFrame', "cannot be 'resynchronise' with a heartbeat", 'resynchronise');
  }
  return heartbeatOptions(heartbeat === true ? {} : heartbeat, framing.head() + maxFrame);
}

/** @internal The connection with a heartbeat beneath its frames; null where none is asked for. */
export function heartbeatOver(
  conn: Conn,
  framing: HeaderBody,
  messages: CheckedMessages,
  options: Framed,
): Heartbeat | null {
  const checked = checkHeartbeat(framing, messages, options);
  if (checked === null) return null;
  if (!(conn instanceof SocketConn) || conn.net === 'unixpacket') {
    throw invalidValue('conn', 'cannot have a heartbeat: it is neither a TCP connection nor a Unix stream', conn);
  }
  return new Heartbeat(conn, framing, messages.maxFrame, messages.frameTimeout, checked);
}

/** @param largest bytes of the largest frame */
function heartbeatOptions(options: HeartbeatOptions, largest: number): CheckedHeartbeat {
  const settings = settingsOf(options, 'options.heartbeat');
  return { window: windowOf(options, largest), health: wordsOf(settings) };
}

function windowOf({ window }: HeartbeatOptions, largest: number): number {
  if (largest > LARGEST_WINDOW) {
    throw invalidValue('options.maxFrame', 'is too large for a heartbeat, whose window would not hold it', largest);
  }
  if (window === undefined) return Math.min(Math.max(2 * largest, LEAST_WINDOW), LARGEST_WINDOW);
  checkInteger('options.heartbeat.window', window, largest, LARGEST_WINDOW);
  return window;
}
