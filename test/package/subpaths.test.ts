import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root, runScript } from '../support/child.ts';

const SUBPATHS = [
  'spliceway',
  'spliceway/chaos',
  'spliceway/codec',
  'spliceway/health',
  'spliceway/limits',
  'spliceway/net',
  'spliceway/node',
  'spliceway/pool',
  'spliceway/testing',
];

describe.each(SUBPATHS)('%s', (name) => {
  test('gives import and require the same names and the same objects', async () => {
    const { stdout, stderr } = await runScript(`
      import { createRequire } from 'node:module';
      import * as imported from '${name}';
      const required = createRequire(import.meta.url)('${name}');
      const names = Object.keys(required).sort();
      const besides = Object.keys(imported).filter((name) => name !== 'default');
      console.log(names.length > 0, names.join() === besides.sort().join());
      console.log(names.every((name) => imported[name] === required[name]));
    `);
    expect(stderr).toBe('');
    expect(stdout).toBe('true true\ntrue\n');
  });

  test('can be required', async () => {
    const { stdout } = await runScript(`console.log(Object.keys(require('${name}')).length > 0)`, { commonjs: true });
    expect(stdout).toBe('true\n');
  });
});

test('what one subpath makes another knows', async () => {
  const { stdout } = await runScript(`
    import { ErrClosedPipe, OpError, pipe } from 'spliceway';
    import { Scanner } from 'spliceway/codec';
    const [a, b] = pipe();
    b.setReadDeadline(1);
    const scanner = new Scanner(b);
    console.log(await scanner.scan(), scanner.err() instanceof OpError);
    a.close();
    b.close();
    const again = new Scanner(b);
    console.log(await again.scan(), again.err().cause === ErrClosedPipe);
  `);
  expect(stdout).toBe('false true\nfalse true\n');
});

test('the types resolve for ES modules and for CommonJS', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'spliceway-types-'));
  try {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(root, join(folder, 'node_modules/spliceway'));
    symlinkSync(join(root, 'node_modules/@types'), join(folder, 'node_modules/@types'));
    const program = `
      import { type Conn, dial, listen, pipe, type TCPConn } from 'spliceway';
      import { ChaosProxy, type ChaosStats } from 'spliceway/chaos';
      import { crc32, type Frame, FramedConn, lines, MessageConn, Scanner, scanWords, type SplitFunc } from 'spliceway/codec';
      import { AdaptiveTimeout, HealingClient, type Health, type HealthTransition, UnknownOutcomeError, watch } from 'spliceway/health';
      import { limitListener } from 'spliceway/limits';
      import * as net from 'spliceway/net';
      import { createServer } from 'node:http';
      import { type Attached, attach, type ConnDuplex, fromNodeSocket, toDuplex, toNodeSocket, toWeb } from 'spliceway/node';
      import { type Lease, Pool, type PoolStats } from 'spliceway/pool';
      import { testConn } from 'spliceway/testing';
      export const server: net.Server = net.createServer((socket) => socket.setReadDeadline(null).setTimeout(1).end());
      server.on('connection', (socket) => socket.pause());
      export async function main(): Promise<string> {
        const chaos: ChaosProxy = await ChaosProxy.listen('tcp', ':0', { target: ':1', seed: 7 });
        const told: ChaosStats = chaos.stats;
        chaos.set({ toTarget: { delay: told.active } });
        const client = new HealingClient({ endpoints: [':1', ':2'], frames: { heartbeat: { interval: 1000 } } });
        const asked: Buffer = await client.request('x', { idempotent: true });
        if (asked.length > 0 && new UnknownOutcomeError('', true).timeout) client.close();
        const limited = limitListener(await listen('tcp', ':0'), 1);
        (await limited.accept()).setNoDelay(true);
        const attached: Attached = attach(limited, createServer(), { firstByteTimeout: 100 });
        const { finished, forced }: { finished: number; forced: number } = await attached.shutdown({ timeout: 1 });
        const duplex: ConnDuplex<TCPConn> = toDuplex(await limited.accept()).setTimeout(finished + forced);
        duplex.conn.setNoDelay(duplex.remoteAddress !== undefined);
        const taken = fromNodeSocket(toNodeSocket(await limited.accept(), { allowHalfOpen: true }));
        await toWeb(taken).readable.getReader({ mode: 'byob' }).read(new Uint8Array(1));
        const pool = new Pool({ endpoints: [':1', ':2'], connect: ({ endpoint }) => dial('tcp', endpoint) });
        const lease: Lease<TCPConn> = await pool.borrow({ timeout: 100 });
        lease.conn.setNoDelay(true);
        const stats: PoolStats = pool.stats();
        const health: Health = watch(lease.conn, { interval: 1000, keepAlive: false });
        health.onTransition(({ to, reason }: HealthTransition) => to === 'lost' && reason.trim());
        const timeout = new AdaptiveTimeout({ floor: 100 });
        await timeout.reading(lease.conn, () => lease.conn.read());
        const standby = new Pool({ connect: () => pipe()[0] as Conn, standby: new Pool({ connect: () => pipe()[0] as Conn }) });
        const bytes: Buffer | null = await standby.use((conn) => conn.read());
        if (stats.idle > 0 && bytes === null) pool.close();
        const [a, b]: [Conn, Conn] = pipe();
        testConn(async () => ({ a, b, stop() {} }), { packets: false });
        const framed = new FramedConn(a, { commandBytes: 2, session: true });
        framed.onFrames((batch) => batch.body(0).readUInt8(crc32('') & batch.count));
        const frame: Frame | null = await framed.receive({ deadline: Date.now() });
        for await (const line of new MessageConn(b, lines())) line.equals(frame?.body ?? line);
        const split: SplitFunc = scanWords;
        for await (const bytes of new Scanner(a, { split })) bytes.readUInt8();
        for await (const lines of new Scanner(a, { encoding: 'utf8' }).batches()) return lines.join();
        for await (const line of new Scanner(a, { encoding: 'utf8' })) return line.trim();
        return '';
      }
    `;
    writeFileSync(join(folder, 'esm.mts'), program);
    writeFileSync(join(folder, 'cjs.cts'), program);
    const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
    const flags = [
      '--noEmit',
      '--strict',
      '--module',
      'node20',
      '--target',
      'es2022',
      '--lib',
      'es2023,esnext.disposable',
    ];
    const { stdout } = spawnSync(process.execPath, [tsc, ...flags, '--types', 'node', 'esm.mts', 'cjs.cts'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
