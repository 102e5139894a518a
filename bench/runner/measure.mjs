// One trial: a fresh server, a fresh load generator, and what came of it.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLoad } from './load.mjs';
import { Program } from './program.mjs';
import { samplesOf } from './samples.mjs';
import { SERVER_CORE, withServer } from './server.mjs';

// Beyond the time that a trial takes by plan: opening connections before, emptying them after.
const SLACK = 30_000;
// For a runtime to have done what it does once, at its start and after its connections were made.
const SETTLE = 2000;

/**
 * CPU time of a server under one of the modes `echo`, `connect` and `packets`.
 * @param scale from nanoseconds for each thing done to the scenario's unit
 */
export function measureServer(mode, contender, load, time, scale) {
  return withServer(contender, undefined, ({ address, pid }) => {
    const options = { ...load, ...windowOf(time), target: address, 'server-pid': pid };
    return withLoad(mode, options, async ({ next }) => toTrial(await next(limitOf(time)), scale));
  });
}

/** The same for a proxy. The load generator is its client and its target. */
export function measureProxy(contender, load, time, scale) {
  return withLoad('forward', { ...load, ...windowOf(time) }, async ({ next, tell }) => {
    const { listening } = await next(SLACK);
    return withServer(contender, listening, async ({ address, pid }) => {
      tell(`${address} ${pid}`);
      return toTrial(await next(limitOf(time)), scale);
    });
  });
}

/** Resident bytes that each of a number of idle connections has added. */
export function measureIdle(contender, load) {
  return withServer(contender, undefined, async ({ address, pid }) => {
    await sleep(SETTLE);
    const before = residentBytes(pid);
    return withLoad('idle', { ...load, target: address }, async ({ next }) => {
      const { held } = await next(SLACK);
      await sleep(SETTLE);
      return { samples: [{ value: (residentBytes(pid) - before) / held, disturbed: false }] };
    });
  });
}

/** What a program says of itself: a list of values, in the scenario's unit. */
export async function measureProgram(contender, { mode, connections = 1 }, { seconds }) {
  const args = [mode, String(connections), String(seconds)];
  const program = new Program(contender.name, SERVER_CORE, contender.command(...args));
  try {
    const values = JSON.parse(await program.line(seconds * 1000 + SLACK));
    return { samples: values.map((value) => ({ value, disturbed: false })) };
  } finally {
    await program.stop();
  }
}

function windowOf({ warmUp, seconds }) {
  return { 'warm-up-ms': Math.round(warmUp * 1000), 'measure-ms': Math.round(seconds * 1000) };
}

function limitOf({ warmUp, seconds }) {
  return (warmUp + seconds) * 1000 + SLACK;
}

function toTrial(result, scale) {
  return { samples: samplesOf(result, scale), latency: result.latencyNs };
}

function residentBytes(pid) {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(kilobytes) * 1024;
}
