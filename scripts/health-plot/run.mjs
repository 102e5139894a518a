// A connection with a heartbeat, led through one trouble after the other.

import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { dial } from 'spliceway';
import { ChaosProxy } from 'spliceway/chaos';
import { FramedConn } from 'spliceway/codec';

const INTERVAL = 1000;
const SAMPLE = 50;

const path = (delay, jitter) => ({ delay: delay / 2, jitter: jitter / 2 });
const both = (impairment) => ({ toTarget: impairment, toClient: impairment });

// What each does to the network or the peer, and for how many seconds, from a state on where it names one.
const PHASES = [
  { name: '20 ms', seconds: 6, begin: ({ network }) => network.set(both(path(20, 2))) },
  { name: '300 ms, jitter 200', seconds: 12, begin: ({ network }) => network.set(both(path(300, 200))) },
  { name: '20 ms', seconds: 6, begin: ({ network }) => network.set(both(path(20, 2))) },
  { name: 'peer stuck', seconds: 4, begin: ({ peer }) => peer.postMessage(4000) },
  { name: '20 ms', seconds: 4, begin() {} },
  { name: 'hole', until: 'degraded', seconds: 0.5, begin: ({ network }) => network.blackHole('both') },
  { name: '20 ms', seconds: 6, begin: ({ network }) => network.blackHole('both', false) },
  { name: 'black hole', seconds: 6, begin: ({ network }) => network.blackHole('both') },
];

/** @returns what was measured, what changed and what was done, in seconds since the beginning */
export async function run(onProgress) {
  const peer = new Worker(new URL('peer.mjs', import.meta.url));
  const target = await new Promise((resolve) => peer.once('message', resolve));
  const network = await ChaosProxy.listen('tcp', '127.0.0.1:0', { target, seed: 1 });
  const frames = new FramedConn(await dial('tcp', `${network.addr}`), { heartbeat: { interval: INTERVAL } });
  const begin = Date.now();
  const since = (epoch) => (epoch - begin) / 1000;
  const transitions = [];
  frames.health.onTransition(({ at, ...rest }) => transitions.push({ at: since(at), ...rest }));
  const measured = [];
  const sampler = setInterval(() => measured.push({ at: since(Date.now()), ...frames.health.figures }), SAMPLE);
  const phases = await goThrough({ network, peer, health: frames.health }, since, onProgress);
  clearInterval(sampler);
  frames.close();
  network.close();
  peer.postMessage(0);
  return { measured, transitions, phases };
}

async function goThrough(world, since, onProgress) {
  const phases = [];
  for (const { name, seconds, until, begin } of PHASES) {
    onProgress(name);
    const from = since(Date.now());
    begin(world);
    while (until !== undefined && world.health.state !== until) await sleep(SAMPLE);
    await sleep(seconds * 1000);
    phases.push({ name, from, to: since(Date.now()) });
  }
  return phases;
}
