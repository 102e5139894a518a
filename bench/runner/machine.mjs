// What the figures were measured on.

import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';

export function describeMachine() {
  const cores = cpus();
  return {
    processor: `${cores.length} x ${cores[0].model}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    kernel: `${type()} ${release()}`,
    node: process.version,
    congestionControl: readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim(),
  };
}

export function machineLine({ processor, memory, kernel, node, congestionControl }) {
  return `${processor}, ${memory}; ${kernel}; Node ${node}; congestion control ${congestionControl}`;
}

/** Throws where trials cannot be kept apart. */
export function checkMachine() {
  if (process.platform !== 'linux') throw new Error('the benchmarks need Linux');
  if (cpus().length < 2) throw new Error('the benchmarks need two cores: one for the server, one for the load');
}
