// What conformance tests are made of. Nothing here knows a test runner: a test is a name and a
// function.

import { AssertionError, ok } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkDuration, checkFunction } from '../check';
import { MAX_TIMER } from '../deadline';

/** One claim about a Conn or a Listener. */
export interface ConformanceTest {
  readonly name: string;
  /** Fulfils when the claim holds; rejects with what was found instead. */
  run(): Promise<void>;
}

/** A test runner's `test`: vitest's, node:test's, or any like them. */
export type RegisterTest = (name: string, run: () => Promise<void>) => unknown;

/** What every suite can be told. */
export interface SuiteOptions {
  /** Registers each test; without it they are only returned. */
  test?: RegisterTest | undefined;
  /** Milliseconds after which a test that still waits has failed. Default 10000. */
  limit?: number | undefined;
}

const DEFAULT_LIMIT = 10_000;
// How long something is given to happen that should not.
const MOMENT = 20;

interface Claim<T> {
  name: string;
  claim(made: T): Promise<void>;
}

/** A test for each claim; each makes what it needs, and has it released however it ends. */
export function suiteOf<T extends { stop(): unknown }>(
  claims: readonly Claim<T>[],
  make: () => Promise<T>,
  { test, limit = DEFAULT_LIMIT }: SuiteOptions,
): ConformanceTest[] {
  if (test !== undefined) checkFunction('options.test', test);
  checkDuration('options.limit', limit);
  const tests = claims.map(({ name, claim }) => ({ name, run: () => runClaim(name, make, claim, limit) }));
  if (test !== undefined) for (const { name, run } of tests) test(name, run);
  return tests;
}

async function runClaim<T extends { stop(): unknown }>(
  name: string,
  make: () => Promise<T>,
  claim: (made: T) => Promise<void>,
  limit: number,
): Promise<void> {
  const made = await make();
  try {
    await within(claim(made), name, limit);
  } finally {
    await made.stop();
  }
}

async function within(work: Promise<void>, name: string, limit: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new AssertionError({ message: `${name}: still waiting after ${limit} ms` });
    timer = setTimeout(reject, Math.min(limit, MAX_TIMER), error);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export interface Failure extends Error {
  code?: string;
  timeout?: boolean;
  bytesWritten?: number;
}

/** What a call rejected with. */
export async function failureOf(call: Promise<unknown>, what: string): Promise<Failure> {
  let value: unknown;
  try {
    value = await call;
  } catch (error) {
    return error as Failure;
  }
  throw new AssertionError({ message: `${what} should have failed, and gave ${String(value)}` });
}

/** That a call fails for its deadline. */
export async function timesOut(call: Promise<unknown>, what: string): Promise<Failure> {
  const error = await failureOf(call, what);
  ok(error.timeout === true, `${what} should have timed out, and failed with: ${error.message}`);
  return error;
}

/** That a call still waits after a moment. */
export async function waits(call: Promise<unknown>, what: string): Promise<void> {
  const settled = await Promise.race([
    call.then(
      () => 'was done',
      (error: Error) => `failed with: ${error.message}`,
    ),
    sleep(MOMENT).then(() => null),
  ]);
  ok(settled === null, `${what} should have waited, and ${settled}`);
}

/** Several turns of the event loop. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets calls that are in the background of a test fail as they like; whoever awaits them sees it. */
export function inBackground<T extends readonly Promise<unknown>[]>(...calls: T): T {
  for (const call of calls) call.catch(() => {});
  return calls;
}
