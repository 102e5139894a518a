// What a listener is told about PROXY headers.

import { checkBoolean, checkInteger, checkObject } from '../check';
import { MAX_TIMER } from '../deadline';
import { invalidValue } from '../errors';
import { type HeaderLimits, limitsOf, type ProxyHeaderOptions } from './parse';
import { Trust } from './trust';

export interface ProxyProtocolOptions extends ProxyHeaderOptions {
  /**
   * Whose headers are read: addresses (`192.0.2.1`), ranges (`10.0.0.0/8`, `2001:db8::/32`), and `unix`
   * for all who connect to a Unix socket, which the permissions of its file are for.
   */
  trusted: readonly string[];
  /**
   * What becomes of the others. `plain`, the default: ordinary connections, which are closed if they
   * begin with a header. `close`: they are closed.
   */
  untrusted?: 'plain' | 'close' | undefined;
  /** Whether a trusted peer has to send a header. Without one it is closed (true, the default), or else an ordinary connection. */
  required?: boolean | undefined;
  /** How long a header may take, from accepting on, in milliseconds: 1 to 2^31 - 1. Default 5000. */
  timeout?: number | undefined;
  /**
   * How many connections may be read a header from, or wait to be accepted after that, at a time: 1 or
   * more. The others wait in the kernel's queue. Default 1024.
   */
  maxPending?: number | undefined;
}

/** The options, checked and complete. */
export interface Settings extends HeaderLimits {
  trust: Trust;
  untrusted: 'plain' | 'close';
  required: boolean;
  timeout: number;
  maxPending: number;
}

const DEFAULT_TIMEOUT = 5000;
const DEFAULT_MAX_PENDING = 1024;

/** Checks the options, and fills in what is absent. */
export function settingsOf(options: ProxyProtocolOptions): Settings {
  checkObject('options', options);
  const { untrusted = 'plain', required = true } = options;
  const { timeout = DEFAULT_TIMEOUT, maxPending = DEFAULT_MAX_PENDING } = options;
  if (untrusted !== 'plain' && untrusted !== 'close') {
    throw invalidValue('options.untrusted', "must be 'plain' or 'close'", untrusted);
  }
  checkBoolean('options.required', required);
  checkInteger('options.timeout', timeout, 1, MAX_TIMER);
  checkInteger('options.maxPending', maxPending, 1, Number.MAX_SAFE_INTEGER);
  return { ...limitsOf(options), trust: new Trust(options.trusted), untrusted, required, timeout, maxPending };
}
