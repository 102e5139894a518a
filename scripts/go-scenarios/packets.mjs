// Packets.

import { resolveAddr } from './addresses.mjs';
import { addrForm, failedReadForm, READ, readForm, unsupported } from './results.mjs';
import { writeForm } from './streams.mjs';

const NOTHING = Buffer.alloc(0);

/** Where a packet goes: an address, or null for none. */
function targetOf(world, { to, address, network }, endpoint) {
  if (to) return world.localAddr(to);
  if (!address) return null;
  return resolveAddr(network || endpoint.localAddr.network, world.expand(address));
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

async function writeTo(world, step, endpoint) {
  let addr = targetOf(world, step, endpoint);
  if (addr instanceof Promise) {
    try {
      addr = await addr;
    } catch (error) {
      return { bad: error.message };
    }
  }
  return send(world, step, (bytes) => endpoint.object.writeTo(bytes, addr));
}

/** Go hands over an address of the socket's own type, or none. */
async function writeMsg(world, step, endpoint) {
  let addr = targetOf(world, step, endpoint);
  if (addr instanceof Promise) addr = await addr;
  const fits = endpoint.isUDP ? addr?.network === 'udp' : /^unix/.test(addr?.network);
  return send(world, step, (bytes) => endpoint.object.writeMsg(bytes, NOTHING, fits ? addr : null));
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
