import type { TCPConn } from 'spliceway';
import { type HealthOptions, type WatchOptions, watch } from 'spliceway/health';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Pair, tcpPair } from '../support/pair.ts';

let pair: Pair<TCPConn>;
beforeEach(async () => {
  pair = await tcpPair();
});
afterEach(() => pair[Symbol.dispose]());

const OUT_OF_RANGE: HealthOptions[] = [
  { interval: 9 },
  { interval: 3_600_001 },
  { interval: Number.NaN },
  { jitter: -0.1 },
  { jitter: 0.6 },
  { rttWeight: -1 },
  { replyFactor: 0.9 },
  { k: -1 },
  { k: Number.POSITIVE_INFINITY },
  { replyFloor: 0 },
  { replyFloor: 9000 },
  { replyCap: 5 },
  { degradedAfter: 0 },
  { degradedAfter: 2.5 },
  { stalledAfter: 0 },
  { lateAfter: 0 },
  { successWeight: -1 },
  { successWeight: 0, rttShiftWeight: 0, lossWeight: 0 },
  { shiftSigmas: -1 },
  { shiftLeast: -1 },
  { shiftWindows: 31 },
  { lossThreshold: 0 },
  { healingBelow: 1.1 },
];

describe('options', () => {
  test.each(OUT_OF_RANGE)('%o are out of range', (options) => {
    expect(() => watch(pair.client, options)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  });

  test.each(Object.keys(Object.assign({}, ...OUT_OF_RANGE)))('%s has to be a number', (name) => {
    for (const value of ['5', null, {}]) {
      const options = { [name]: value } as WatchOptions;
      expect(() => watch(pair.client, options)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
    }
  });

  test('of another type are refused, and conns that are no TCP connections', () => {
    const wrong = expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(() => watch(pair.client, null as never)).toThrow(wrong);
    expect(() => watch({} as TCPConn)).toThrow(wrong);
    expect(() => watch(pair.client, { keepAlive: true as never })).toThrow(wrong);
    expect(() => watch(pair.client, { userTimeout: '1' as never })).toThrow(wrong);
  });

  test('are read as they are given', () => {
    const health = watch(pair.client, { interval: 1234.5, replyFloor: 100, replyCap: 200 });
    expect(health.figures).toMatchObject({ interval: 1234.5, replyTimeout: 200, state: 'healthy', score: 1 });
  });

  test('have their defaults', () => {
    const { interval, replyTimeout, sent, failures, healing } = watch(pair.client).figures;
    expect({ interval, replyTimeout, sent, failures, healing }).toEqual({
      interval: 5000,
      replyTimeout: 1000,
      sent: 0,
      failures: 0,
      healing: false,
    });
  });

  test('a closed connection is refused', () => {
    pair.client.close();
    expect(() => watch(pair.client)).toThrow(expect.objectContaining({ code: 'ERR_SPLICEWAY_CLOSED' }));
  });
});
