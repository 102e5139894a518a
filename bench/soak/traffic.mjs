// The traffic of the soak test, in a process of its own: clients of the proxy, and its target, with node:net.
// It is told over IPC what to do, and says what came of it.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { Content } from './content.mjs';
import { planOf, stuckPlan } from './plan.mjs';
import { RelayRun } from './relay-run.mjs';

// What the client sends first: which relay it is.
const HEAD = 8;
// More connections than one address has ports for wait for their last minute to pass.
const ADDRESSES = 50;
const SAY_EVERY = 1000;
const FAILURES_TOLD = 20;

const seed = Number(process.argv[2]);
const content = new Content(seed);
const runs = new Map();

const target = createServer({ allowHalfOpen: true, noDelay: true }, identify);
await once(target.listen({ port: 0, host: '0.0.0.0', backlog: 4096 }), 'listening');
process.on('message', (message) => obey(message));
process.on('disconnect', () => process.exit());
process.send({ port: target.address().port });

/** Finds out whose target a connection is. */
function identify(socket, before = Buffer.alloc(0)) {
  const forget = () => socket.destroy();
  socket.on('error', forget).on('end', forget);
  socket.once('data', (chunk) => {
    socket.off('error', forget).off('end', forget);
    const bytes = Buffer.concat([before, chunk]);
    if (bytes.length < HEAD) return identify(socket, bytes);
    const run = runs.get(bytes.readDoubleLE(0));
    // None for one that came after its relay had been given up.
    if (run === undefined) socket.destroy();
    else run.onTarget(socket, bytes.subarray(HEAD));
  });
}

async function obey({ what, proxies, from, count, seconds, atOnce }) {
  const plan = what === 'stuck' ? stuckPlan : planOf;
  const until = Date.now() + seconds * 1000;
  const tally = new Tally();
  let next = from;
  const saying = setInterval(() => process.send({ progress: tally.sums }), SAY_EVERY);
  const takeTurns = async () => {
    while (next < from + count && Date.now() < until && !tally.hopeless) {
      await relayOnce(plan(seed, next++), proxies, tally);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, takeTurns));
  clearInterval(saying);
  process.send({ done: tally.sums });
}

async function relayOnce(plan, proxies, tally) {
  const proxy = plan.idle ? proxies.idle : proxies.plain;
  const localAddress = `127.0.1.${1 + (plan.id % ADDRESSES)}`;
  const socket = connect({ ...proxy, localAddress, allowHalfOpen: true, noDelay: true });
  const head = Buffer.alloc(HEAD);
  head.writeDoubleLE(plan.id);
  const began = performance.now();
  socket.write(head, () => {
    run.headAfter = performance.now() - began;
  });
  const cutAtProxy = (how) => process.send({ cut: { client: `${socket.localAddress}:${socket.localPort}`, how } });
  const run = new RelayRun(plan, content, socket, cutAtProxy);
  runs.set(plan.id, run);
  tally.add(plan, await run.verdicts());
  runs.delete(plan.id);
}

/** What came of all relays. */
class Tally {
  sums = { relays: 0, whole: 0, cut: 0, wrong: 0, bytes: 0, kinds: {}, failures: [] };

  /** Whether enough has gone wrong. */
  get hopeless() {
    return this.sums.failures.length >= FAILURES_TOLD;
  }

  add(plan, verdicts) {
    this.sums.relays++;
    this.sums.kinds[plan.kind] = (this.sums.kinds[plan.kind] ?? 0) + 1;
    for (const [direction, verdict] of Object.entries(verdicts)) this.#addTransfer(plan, direction, verdict);
  }

  #addTransfer(plan, direction, { whole, wrong, bytes }) {
    const { sums } = this;
    sums.bytes += bytes;
    sums[wrong !== null ? 'wrong' : whole ? 'whole' : 'cut']++;
    if (wrong === null || this.hopeless) return;
    sums.failures.push(`relay ${plan.id}, ${direction}: ${wrong}; its plan: ${JSON.stringify(plan)}`);
  }
}
