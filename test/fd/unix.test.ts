import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { copy, dial, fileConn, listen, type UnixConn } from 'spliceway';
import { afterAll, describe, expect, test } from 'vitest';
import { bytes, MiB, readAll, readExactly } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { childEnv, root, runScript } from '../support/child.ts';
import { socketPath, tcpPair, unixPair } from '../support/pair.ts';
import { isPending, turns } from '../support/time.ts';

const onLinux = process.platform === 'linux';
const folder = mkdtempSync(join(tmpdir(), 'spliceway-fds-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
/** A file that holds this text, opened for reading. */
function fileWith(text: string): number {
  const path = join(folder, String(files++));
  writeFileSync(path, text);
  return openSync(path, 'r');
}

function contentOf(fd: number): string {
  const p = Buffer.alloc(100);
  return String(p.subarray(0, readSync(fd, p, 0, 100, 0)));
}

/** The thread that copies, and its descriptors, stay once there has been a copy. */
async function startCopyThread(): Promise<void> {
  using pair = await tcpPair();
  await copy(pair.client, pair.server, { limit: 0 });
}

const openCount = () => readdirSync('/proc/self/fd').length;

describe('peerCredentials()', () => {
  test('of a process that is this one', async () => {
    using pair = await unixPair();
    const { uid, gid } = userInfo();
    for (const conn of [pair.client, pair.server]) {
      expect(conn.peerCredentials()).toEqual({ uid, gid, ...(onLinux && { pid: process.pid }) });
    }
  });

  test('of another process, also when it has gone', async () => {
    await using listener = await listen('unix', socketPath());
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import { dial } from 'spliceway'; const c = await dial('unix', ${JSON.stringify(`${listener.addr}`)}); c.close();`,
      ],
      { cwd: root, env: childEnv(), stdio: 'inherit' },
    );
    using conn = await listener.accept();
    await once(child, 'exit');
    if (onLinux) expect(conn.peerCredentials().pid).toBe(child.pid);
    expect(conn.peerCredentials().uid).toBe(userInfo().uid);
  });

  test('over packets, and when closed', async () => {
    using pair = await unixPair('unixpacket');
    expect(pair.client.peerCredentials().uid).toBe(userInfo().uid);
    pair.client.close();
    expect(() => pair.client.peerCredentials()).toThrow(
      expect.objectContaining({ op: 'get', code: 'ERR_SPLICEWAY_CLOSED' }),
    );
  });
});

describe.each(['unix', 'unixpacket'] as const)('sendFds() and recvFds() over %s', (network) => {
  test('descriptors arrive as duplicates, close-on-exec, with their bytes', async () => {
    using pair = await unixPair(network);
    const sent = [fileWith('one'), fileWith('two')];
    expect(await pair.client.sendFds(sent, Buffer.from('two files'))).toBe(9);
    for (const fd of sent) closeSync(fd);
    const got = await pair.server.recvFds();
    expect(String(got?.data)).toBe('two files');
    expect(got?.truncated).toBeUndefined();
    expect(got?.fds.map(contentOf)).toEqual(['one', 'two']);
    for (const fd of got?.fds ?? []) {
      if (onLinux) expect(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')).toMatch(/^flags:\s+0?2\d{6}$/m);
      closeSync(fd);
    }
  });

  test('without bytes of its own one goes along', async () => {
    using pair = await unixPair(network);
    const fd = fileWith('alone');
    expect(await pair.client.sendFds([fd])).toBe(1);
    closeSync(fd);
    const got = await pair.server.recvFds();
    expect(got?.data).toEqual(Buffer.from([0]));
    expect(got?.fds.length).toBe(1);
    closeSync(got?.fds[0] as number);
  });

  test('recvFds() waits; bytes without descriptors come too; null at the end', async () => {
    using pair = await unixPair(network);
    const waiting = pair.server.recvFds();
    expect(await isPending(waiting)).toBe(true);
    await pair.client.write('only bytes');
    expect(await waiting).toEqual({ fds: [], data: Buffer.from('only bytes') });
    pair.client.closeWrite();
    expect(await pair.server.recvFds()).toBeNull();
  });

  test.runIf(onLinux)('253 go in one message, and as many arrive', async () => {
    using pair = await unixPair(network);
    const fd = fileWith('many');
    const before = openCount();
    await pair.client.sendFds(new Array(253).fill(fd));
    const got = await pair.server.recvFds();
    expect(got?.fds.length).toBe(253);
    expect(openCount()).toBe(before + 253);
    for (const each of got?.fds ?? []) closeSync(each);
    closeSync(fd);
  });

  test.runIf(onLinux)('more than were asked for: all are closed', async () => {
    using pair = await unixPair(network);
    const fd = fileWith('many');
    const before = openCount();
    for (const [sent, max] of [
      [2, 1],
      [3, 2],
      [253, 252],
      [5, 1],
    ] as const) {
      await pair.client.sendFds(new Array(sent).fill(fd), Buffer.from('data'));
      expect(await pair.server.recvFds(max)).toEqual({ fds: [], data: Buffer.from('data'), truncated: true });
      expect(openCount()).toBe(before);
    }
    closeSync(fd);
  });

  test.runIf(onLinux)('read(), copy() and an end unread close what nobody asked for', async () => {
    const fd = fileWith('unwanted');
    await startCopyThread();
    const before = openCount();
    {
      using pair = await unixPair(network);
      using far = await tcpPair();
      await pair.client.sendFds([fd, fd], Buffer.from('read'));
      expect(String(await pair.server.read())).toBe('read');
      const copying = copy(far.client, pair.server, { limit: 6 });
      await pair.client.sendFds([fd], Buffer.from('copied'));
      expect(await copying).toBe(6);
      await pair.client.sendFds([fd, fd], Buffer.from('never'));
      await turns();
    }
    await turns();
    expect(openCount()).toBe(before);
    closeSync(fd);
  });

  test('peek() leaves them where they are', async () => {
    using pair = await unixPair(network);
    const fd = fileWith('later');
    await pair.client.sendFds([fd], Buffer.from('look'));
    closeSync(fd);
    expect(String(await pair.server.peek(100))).toBe('look');
    const got = await pair.server.recvFds();
    expect(got?.fds.map(contentOf)).toEqual(['later']);
    closeSync(got?.fds[0] as number);
  });

  test('they stand in line with reads and writes', async () => {
    using pair = await unixPair(network);
    const fd = fileWith('third');
    const first = pair.server.read();
    const second = pair.server.recvFds();
    const third = pair.server.read();
    await pair.client.write('1');
    expect(String(await first)).toBe('1');
    await pair.client.sendFds([fd], Buffer.from('2'));
    const got = await second;
    expect(got?.fds.length).toBe(1);
    closeSync(got?.fds[0] as number);
    closeSync(fd);
    await pair.client.write('3');
    expect(String(await third)).toBe('3');
  });

  test('deadlines, signals and close() end a wait', async () => {
    using pair = await unixPair(network);
    const late = pair.server.recvFds();
    pair.server.setReadDeadline(Date.now() + 20);
    const error = await caught(late);
    expect(error).toMatchObject({ op: 'read', timeout: true });
    expect(error.message).toMatch(new RegExp(`^read ${network} .*: i/o timeout$`));
    expect(await caught(pair.server.recvFds())).toMatchObject({ timeout: true });
    pair.server.setDeadline(null);
    const aborting = new AbortController();
    const aborted = pair.server.recvFds(1, { signal: aborting.signal });
    aborting.abort(new Error('enough'));
    expect(await caught<Error>(aborted)).toEqual(new Error('enough'));
    pair.client.setWriteDeadline(1);
    expect(await caught(pair.client.sendFds([0]))).toMatchObject({ op: 'write', timeout: true, bytesWritten: 0 });
    const closed = pair.server.recvFds();
    pair.server.close();
    for (const call of [closed, pair.server.recvFds(), pair.server.sendFds([0])]) {
      expect(await caught(call)).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
    }
  });

  test('a number that is no descriptor: EBADF, and nothing was sent', async () => {
    using pair = await unixPair(network);
    const error = await caught(pair.client.sendFds([0, 1_000_000]));
    expect(error).toMatchObject({ op: 'write', code: 'EBADF', syscall: 'sendmsg', bytesWritten: 0 });
    expect(error.message).toBe(`write ${network} @->${pair.client.remoteAddr}: sendmsg: bad file descriptor`);
    await pair.client.write('next');
    expect(String(await pair.server.read())).toBe('next');
  });

  test('what was put back comes first, without descriptors', async () => {
    using pair = await unixPair(network);
    pair.server.unread(Buffer.from('front'));
    await pair.client.write('kernel');
    expect(await pair.server.recvFds()).toEqual({ fds: [], data: Buffer.from('front') });
    expect(await pair.server.recvFds()).toEqual({ fds: [], data: Buffer.from('kernel') });
  });
});

test('sendFds() with more bytes than there is room for: the descriptors go with the first', async () => {
  using pair = await unixPair();
  const fd = fileWith('first');
  const big = bytes(4 * MiB);
  const sending = pair.client.sendFds([fd], big);
  const behind = pair.client.write('!');
  expect(await isPending(sending)).toBe(true);
  closeSync(fd);
  const got = await pair.server.recvFds();
  expect(got?.fds.map(contentOf)).toEqual(['first']);
  closeSync(got?.fds[0] as number);
  const rest = await readExactly(pair.server, big.length - (got?.data.length ?? 0) + 1);
  expect(Buffer.concat([got?.data ?? Buffer.alloc(0), rest]).equals(Buffer.concat([big, Buffer.from('!')]))).toBe(true);
  expect(await sending).toBe(big.length);
  await behind;
});

test('connections pass through connections, to another process', async () => {
  await using listener = await listen('unix', socketPath());
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { dial, fileConn } from 'spliceway';
       const control = await dial('unix', ${JSON.stringify(`${listener.addr}`)});
       const { fds, data } = await control.recvFds();
       const conn = fileConn(fds[0]);
       await conn.write('served elsewhere: ' + data);
       await conn.shutdown();
       control.close();`,
    ],
    { cwd: root, env: childEnv(), stdio: 'inherit' },
  );
  using control = await listener.accept();
  using pair = await tcpPair();
  const fd = pair.server.detach();
  await control.sendFds([fd], Buffer.from('hello'));
  closeSync(fd);
  expect(String(await readAll(pair.client))).toBe('served elsewhere: hello');
  pair.client.close();
  expect((await once(child, 'exit'))[0]).toBe(0);
});

test.runIf(onLinux)('a full table of descriptors: what came is closed, and said to be truncated', async () => {
  const { code, stdout, stderr } = await runScript(
    `
    import { closeSync, openSync } from 'node:fs';
    import { dial, listen } from 'spliceway';
    const listener = await listen('unix', '@spliceway-full-' + process.pid);
    const client = await dial('unix', String(listener.addr));
    const server = await listener.accept();
    await client.sendFds([0, 0, 0, 0], Buffer.from('four'));
    const held = [];
    try { for (;;) held.push(openSync('/dev/null', 'r')); } catch {}
    closeSync(held.pop());
    closeSync(held.pop());
    const { fds, data, truncated } = await server.recvFds();
    held.push(openSync('/dev/null', 'r'), openSync('/dev/null', 'r'));
    for (const fd of held) closeSync(fd);
    console.log(fds.length, String(data), truncated);
    process.exit();
  `,
    { openFiles: 128 },
  );
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '0 four true\n', stderr: '' });
});

test('what sendFds() and recvFds() are not for', async () => {
  using pair = await unixPair();
  const { client } = pair as { client: UnixConn };
  const type = { code: 'ERR_INVALID_ARG_TYPE' };
  const range = { code: 'ERR_OUT_OF_RANGE' };
  expect(await caught(client.sendFds(0 as never))).toMatchObject(type);
  expect(await caught(client.sendFds(['0'] as never))).toMatchObject(type);
  expect(await caught(client.sendFds([0], 'x' as never))).toMatchObject(type);
  expect(await caught(client.sendFds([]))).toMatchObject(range);
  expect(await caught(client.sendFds(new Array(254).fill(0)))).toMatchObject(range);
  expect(await caught(client.sendFds([-1]))).toMatchObject(range);
  expect(await caught(client.sendFds([0], Buffer.alloc(0)))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  expect(await caught(client.recvFds(0))).toMatchObject(range);
  expect(await caught(client.recvFds(254))).toMatchObject(range);
  expect(await caught(client.recvFds('1' as never))).toMatchObject(type);
  client.handle({ data() {} });
  expect(await caught(client.recvFds())).toMatchObject({ op: 'read', code: 'ERR_SPLICEWAY_BUSY' });
});

test('a passed listener is one that fileConn() refuses, still open', async () => {
  using pair = await unixPair();
  const listening = pair.listener.detach();
  await pair.client.sendFds([listening]);
  closeSync(listening);
  const fd = (await pair.server.recvFds())?.fds[0] as number;
  expect(() => fileConn(fd)).toThrow('it is for fileListener()');
  expect(fstatSync(fd).isSocket()).toBe(true);
  closeSync(fd);
  await expect(dial('unix', `${pair.listener.addr}`)).rejects.toMatchObject({ op: 'dial' });
});
