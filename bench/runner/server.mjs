// Starting a contender and finding out where it listens.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { hostAndPort } from '../servers/address.mjs';
import { Program } from './program.mjs';

/** The server's core; the load generator has the other one to itself. */
export const SERVER_CORE = 0;

const START_LIMIT = 10_000;
const PROBE_EVERY = 20;

/**
 * Runs `use(server)` with a fresh process of the contender, which is gone afterwards.
 * @param target the address that a proxy forwards to
 */
export async function withServer(contender, target, use) {
  const listen = contender.silent ? await freeAddress() : '127.0.0.1:0';
  const program = new Program(contender.name, SERVER_CORE, contender.command(listen, target));
  try {
    const address = contender.silent ? await probed(program, listen) : await announced(program);
    return await use({
      address,
      pid: program.pid,
      tell: (line) => program.tell(line),
      said: (limit) => program.line(limit),
    });
  } catch (error) {
    // A server that broke down says more about it than the load generator that lost it.
    if (await program.hasEnded()) throw new Error(program.obituary(), { cause: error });
    throw error;
  } finally {
    await program.stop();
  }
}

async function announced(program) {
  const line = await program.line(START_LIMIT);
  const match = /^listening (?:tcp|udp) (\S+:\d+)$/.exec(line);
  if (match === null) throw new Error(`${program.name} said "${line}" instead of "listening <network> <address>"`);
  return match[1];
}

/** Where a server is that does not tell: it was given an address, and listens there in the end. */
async function probed(program, address) {
  for (const until = Date.now() + START_LIMIT; Date.now() < until; await sleep(PROBE_EVERY)) {
    if (program.ended) throw new Error(program.obituary());
    if (isListening(address)) return address;
  }
  throw new Error(`${program.name} does not listen at ${address}`);
}

// Asked of the kernel and not by connecting: a proxy would pass the attempt on to its target.
function isListening(address) {
  const port = hostAndPort(address).port.toString(16).toUpperCase().padStart(4, '0');
  return new RegExp(`^ *\\d+: [0-9A-F]{8}:${port} 00000000:0000 0A `, 'm').test(readFileSync('/proc/net/tcp', 'utf8'));
}

function freeAddress() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, () => {
      const { port } = server.address();
      server.close(() => resolve(`127.0.0.1:${port}`));
    });
  });
}
