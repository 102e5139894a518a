// The same program on node:net and on spliceway/net prints the same: events in their order, arguments,
// properties, errors. Each program has `net`, and `log`, which prints without what differs from run to run.

import { describe, expect, test } from 'vitest';
import { runScript } from '../support/child.ts';

export type Programs = [name: string, source: string][];

const prelude = (name: string) => `
import { createRequire } from 'node:module';
import { inspect } from 'node:util';
import { once } from 'node:events';
import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdtempSync, existsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
const net = createRequire(import.meta.url)('${name}');
const ports = [];
const mask = (text) => ports.reduce((masked, port, i) => masked.replaceAll(String(port), 'PORT' + i), text);
const show = (value) => {
  if (!(value instanceof Error)) return typeof value === 'string' ? value : inspect(value, { breakLength: Infinity });
  const own = Object.entries(value).map(([key, each]) => key + '=' + show(each));
  return [value.name, value.message, ...own].join(' | ');
};
const log = (...values) => console.log(mask(values.map(show).join(' ')));
const watch = (name, socket, ...events) => {
  for (const event of events) socket.on(event, (...args) => log(name, event, ...args.map((a) => a instanceof Buffer ? String(a) : a)));
  return socket;
};
const ALL = ['connect', 'ready', 'data', 'end', 'finish', 'close', 'error', 'timeout', 'drain', 'prefinish'];
const listening = async (server, ...args) => {
  server.listen(...args);
  await once(server, 'listening');
  if (server.address()?.port) ports.push(server.address().port);
  return server;
};
const unused = async () => {
  const server = await listening(net.createServer(), 0, '127.0.0.1');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
};
const caught = (call) => {
  try { return call(); } catch (error) { return error; }
};
`;

/** Makes a test of each program. */
export function printSame(programs: Programs): void {
  describe.concurrent('a program prints on spliceway/net what it prints on node:net', { timeout: 60_000 }, () => {
    test.each(programs)('%s', async (_name, source) => {
      const [expected, actual] = await Promise.all(
        ['node:net', 'spliceway/net'].map((name) => runScript(prelude(name) + source, { limit: 30_000 })),
      );
      expect(expected?.stdout).not.toBe('');
      expect(actual).toEqual(expected);
    });
  });
}
