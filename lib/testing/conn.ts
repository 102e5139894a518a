// Whether a Conn keeps the promises of its interface (in the spirit of x/net's nettest.TestConn).

import { checkBoolean, checkFunction, checkObject } from '../check';
import type { Conn } from '../conn';
import { callTests } from './conn-calls';
import { deadlineTests } from './conn-deadlines';
import { endTests } from './conn-ends';
import { streamTests } from './conn-streams';
import { type ConformanceTest, type SuiteOptions, suiteOf } from './suite';

/** Two ends of one connection. */
export interface ConnPair {
  a: Conn;
  b: Conn;
  /** Releases both, and whatever else was made for them. It is called in any case, also after they were closed. */
  stop(): unknown;
}

/** Makes a new connection; called once for each test. */
export type MakePipe = () => Promise<ConnPair>;

export interface TestConnOptions extends SuiteOptions {
  /**
   * Bytes keep the bounds of the writes that sent them, as on `unixpacket`: tests of splitting and of
   * empty messages are left out. Default false.
   */
  packets?: boolean | undefined;
}

/** A claim about two connected ends, and what it needs of them. */
export interface ConnClaim {
  name: string;
  /** Holds of streams alone, not of packets. */
  streamsOnly?: boolean;
  claim(pair: ConnPair): Promise<void>;
}

/**
 * Tests that every Conn should pass, as a list of names and functions.
 *
 * They hold of what is connected, whatever carries it: buffered or not, of bytes or of packets, with
 * half-closing or without. None of them assumes that a write is done before somebody reads.
 */
export function testConn(makePipe: MakePipe, options: TestConnOptions = {}): ConformanceTest[] {
  checkFunction('makePipe', makePipe);
  checkObject('options', options);
  const { packets = false } = options;
  checkBoolean('options.packets', packets);
  const claims = [...streamTests, ...deadlineTests, ...endTests, ...callTests];
  const fitting = claims.filter(({ streamsOnly }) => !(packets && streamsOnly === true));
  return suiteOf(fitting, makePipe, options);
}
