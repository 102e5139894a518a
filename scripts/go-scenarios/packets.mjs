// Packets.

import { resolveAddr } from './addresses.mjs';
import { addrForm, failedReadForm, READ, readForm, unsupported } from './results.mjs';
import { writeForm } from './streams.mjs';

const NOTHING = Buffer.alloc(0);

/** Calls back with the address that a step names, or null for none. */
async function withTarget(world, { to, address }, network, use) {
  if (to) return use(world.localAddr(to));
  if (!address) return use(null);
  let addr;
  try {
    addr = await resolveAddr(network, world.expand(address));
  } catch (error) {
    return { bad: error.message };
  }
  return use(addr);
}

async function readFrom(_world, { max = 0, show }, { object }) {
  const p = Buffer.alloc(max);
  try {
    const { n, addr } = await object.readFrom(p);
    return { ...readForm(p.subarray(0, n), show, READ), addr: addrForm(addr) };
  } catch (error) {
    return { ...failedReadForm(NOTHING, show, error), addr: null };
  }
}

// Go tells no address with a failed ReadMsg on Unix sockets, and an empty one of the socket's family
// on UDP. A rejection has none to tell.
function addrOfFailure({ isUDP, localAddr }) {
  return isUDP ? { network: 'udp', text: localAddr.ip.includes(':') ? '[::]:0' : '0.0.0.0:0' } : null;
}

async function readMsg(_world, { max = 0, oob: room = 0, show }, endpoint) {
  const { object } = endpoint;
  const p = Buffer.alloc(max);
  try {
    const { n, oobn = 0, truncated = false, addr } = await object.readMsg(p, Buffer.alloc(room));
    return { ...readForm(p.subarray(0, n), show, READ), addr: addrForm(addr), oobn, trunc: truncated };
  } catch (error) {
    const addr = addrOfFailure(endpoint);
    return { ...failedReadForm(NOTHING, show, error), addr, oobn: 0, trunc: false };
  }
}

/** Writes the payload of a step in one packet. */
async function send(world, step, write) {
  const bytes = world.payloads.of(step);
  try {
    const sent = await write(bytes);
    return writeForm({ n: sent.n ?? sent, error: null }, bytes.length);
  } catch (error) {
    return writeForm({ n: error.bytesWritten ?? 0, error }, bytes.length);
  }
}

function writeTo(world, step, { object, localAddr }) {
  return withTarget(world, step, step.network || localAddr.network, (addr) =>
    send(world, step, (bytes) => object.writeTo(bytes, addr)),
  );
}

/** Go hands over an address of the socket's own type, or none. */
function writeMsg(world, step, { object, localAddr, isUDP }) {
  const fits = (addr) => (isUDP ? addr?.network === 'udp' : /^unix/.test(addr?.network));
  return withTarget(world, step, localAddr.network, (addr) =>
    send(world, step, (bytes) => object.writeMsg(bytes, NOTHING, fits(addr) ? addr : null)),
  );
}

/** Verbs that need a method which not every connection has. */
const offering = (method, verb) => (world, step, endpoint) =>
  typeof endpoint?.object[method] === 'function' && !endpoint.limited ? verb(world, step, endpoint) : unsupported();

export const verbs = {
  readFrom: offering('readFrom', readFrom),
  writeTo: offering('writeTo', writeTo),
  readMsg: offering('readMsg', readMsg),
  writeMsg: offering('writeMsg', writeMsg),
};
