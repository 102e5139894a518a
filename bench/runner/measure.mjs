// One trial: a fresh server, a fresh load generator, and what came of it.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLoad } from './load.mjs';
import { Program } from './program.mjs';
import { quantile, samplesOf } from './samples.mjs';
import { payloadFile } from './scratch.mjs';
import { SERVER_CORE, withServer } from './server.mjs';

// Beyond the time that a trial takes by plan: opening connections before, emptying them after.
export const SLACK = 30_000;
// For a runtime to have done what it does once, at its start and after its connections were made.
const SETTLE = 2000;

/**
 * CPU time of a server under one of the modes `echo`, `connect`, `http`, `lines` and `packets`.
 * @param scale from nanoseconds for each thing done to the scenario's unit
 */
export function measureServer(mode, contender, load, time, scale) {
  return withServer(contender, undefined, (server) => loaded(mode, server, load, time, scale));
}

/** The same for a server that sends a file of so many bytes to whoever connects. */
export function measureSender(contender, { bytes, ...load }, time, scale) {
  const file = payloadFile(bytes);
  const request = contender.request === undefined ? {} : { request: contender.request(file) };
  return withServer(contender, file, (server) => loaded('receive', server, { ...load, ...request, file }, time, scale));
}

function loaded(mode, { address, pid }, load, time, scale) {
  const options = { ...load, ...windowOf(time), target: address, 'server-pid': pid };
  return withLoad(mode, options, async ({ next }) => toTrial(await next(limitOf(time)), scale));
}

/** The same for a proxy, under the modes `forward` and `ping-pong`. */
export function measureProxy(mode, contender, load, time, scale) {
  return withProxy(mode, contender, { ...load, ...windowOf(time) }, async (_, next) =>
    toTrial(await next(limitOf(time)), scale),
  );
}

/** Runs `use(server, next)` with a proxy under load. The load generator is its client and its target. */
export function withProxy(mode, contender, options, use) {
  return withLoad(mode, options, async ({ next, tell }) => {
    const { listening } = await next(SLACK);
    return withServer(contender, listening, (server) => {
      tell(`${server.address} ${server.pid}`);
      return use(server, next);
    });
  });
}

/**
 * Resident bytes that each of a number of idle connections has added.
 * @param target an echo server's address, for a proxy
 */
export function measureIdle(contender, load, target) {
  return withServer(contender, target, async ({ address, pid }) => {
    await sleep(SETTLE);
    const before = residentBytes(pid);
    return withLoad('idle', { ...load, target: address }, async ({ next }) => {
      const { held } = await next(SLACK);
      await sleep(SETTLE);
      return { samples: [{ value: (residentBytes(pid) - before) / held, disturbed: false }] };
    });
  });
}

/** What a program says of itself: a list of values, in the scenario's unit, or of samples with more than a value. */
export async function measureProgram(contender, { mode, connections = 1, patience = SLACK }, { seconds }) {
  const args = [mode, String(connections), String(seconds)];
  const program = new Program(contender.name, SERVER_CORE, contender.command(...args));
  try {
    const values = JSON.parse(await program.line(seconds * 1000 + patience));
    const sampleOf = (value) => (typeof value === 'number' ? { value } : value);
    return { samples: values.map((value) => ({ ...sampleOf(value), disturbed: false })) };
  } finally {
    await program.stop();
  }
}

/** The same of a program whose values are round trips in microseconds: their p50 and p99 beside them. */
export async function measureRoundTrips(contender, load, time) {
  const { samples } = await measureProgram(contender, load, time);
  const nanoseconds = (share) => quantile(samples, 'value', share) * 1000;
  return { samples, latency: { p50: nanoseconds(0.5), p99: nanoseconds(0.99) } };
}

export function windowOf({ warmUp, seconds }) {
  return { 'warm-up-ms': Math.round(warmUp * 1000), 'measure-ms': Math.round(seconds * 1000) };
}

export function limitOf({ warmUp, seconds }) {
  return (warmUp + seconds) * 1000 + SLACK;
}

function toTrial(result, scale) {
  return { samples: samplesOf(result, scale), latency: result.latencyNs };
}

function residentBytes(pid) {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(kilobytes) * 1024;
}
