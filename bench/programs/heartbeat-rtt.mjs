// heartbeat-rtt.mjs spliceway|c alone|loaded CONNECTIONS SECONDS: PINGs, one every 20 ms on each connection to a process
// on another core, and prints, as one line of JSON, the microseconds that each was answered after: 5,000 for each of
// SECONDS. Where they are not alone, a process beside them sends frames from this core to the other.

import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { dial, listen, serve } from 'spliceway';
import { FramedConn } from 'spliceway/codec';
import { addressIn, OWN_CORE, PEERS_CORE, start } from './start.mjs';

const [implementation, load, connections, seconds] = process.argv.slice(2);
const INTERVAL = 20;
const SAMPLES_A_SECOND = 5000;
const LOAD_MEGABYTES = 50;
// The peer's own PINGs would postpone those that are measured.
const SELDOM = 60_000;
const WARM_UP = 500;
// More often than there are answers: the figures have the last one only.
const LOOK_EVERY = 5;

const wanted = Math.ceil(seconds * SAMPLES_A_SECOND);
const pathOf = (path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * The round trips of one connection. One that was over before anybody looked counts as a whole interval, and so does
 * a turn of the heartbeat that came late, as what was asked before it is not measured.
 */
class Watched {
  constructor({ health }) {
    this.health = health;
    this.seen = this.look().count;
  }

  look() {
    const { answered, late, lateTurns, rtt } = this.health.figures;
    return { count: answered + late + lateTurns, rtt };
  }

  take() {
    const { count, rtt } = this.look();
    const unseen = Array(Math.max(count - this.seen - 1, 0)).fill(INTERVAL);
    const taken = count > this.seen ? [rtt, ...unseen] : [];
    this.seen = count;
    return taken;
  }
}

async function answer() {
  const listener = await listen('tcp', '127.0.0.1:0');
  serve(listener, (conn) => new FramedConn(conn, { heartbeat: { interval: SELDOM } }).onFrames(() => {}));
  console.log(`listening tcp ${listener.addr}`);
}

async function ofHeartbeats() {
  const { line } = await start(PEERS_CORE, process.execPath, fileURLToPath(import.meta.url), 'peer');
  const conns = await Promise.all(Array.from({ length: connections }, () => dial('tcp', addressIn(line))));
  const framed = conns.map((conn) => new FramedConn(conn, { heartbeat: { interval: INTERVAL } }));
  await sleep(WARM_UP);
  const watched = framed.map((each) => new Watched(each));
  const roundTrips = [];
  while (roundTrips.length < wanted) {
    await sleep(LOOK_EVERY);
    roundTrips.push(...watched.flatMap((each) => each.take()));
  }
  return roundTrips.map((milliseconds) => milliseconds * 1000);
}

async function ofPlainC() {
  const { line } = await start(PEERS_CORE, pathOf('../native/build/c-echo'), '127.0.0.1:0');
  const pings = [pathOf('../native/build/c-ping'), addressIn(line), connections, INTERVAL, wanted];
  return JSON.parse((await start(OWN_CORE, ...pings)).line);
}

if (implementation === 'peer') {
  await answer();
} else {
  if (load === 'loaded') await start(OWN_CORE, process.execPath, pathOf('frame-load.mjs'), LOAD_MEGABYTES);
  console.log(JSON.stringify(await (implementation === 'c' ? ofPlainC() : ofHeartbeats())));
  process.exit();
}
