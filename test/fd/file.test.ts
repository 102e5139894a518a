import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { devNull } from 'node:os';
import {
  dial,
  fileConn,
  fileListener,
  listen,
  listenPacket,
  type OpError,
  relay,
  SocketListener,
  TCPConn,
  UDPConn,
  UnixConn,
} from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, MiB, readAll, readExactly } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { childEnv, root } from '../support/child.ts';
import { openSockets } from '../support/fds.ts';
import { socketPath, streams, tcpPair, unixPair } from '../support/pair.ts';
import { hasPython, pythonSync } from '../support/python.ts';
import { isPending, turns } from '../support/time.ts';

const onLinux = process.platform === 'linux';

function thrown(call: () => unknown): OpError {
  try {
    call();
  } catch (error) {
    return error as OpError;
  }
  throw new Error('it did not throw');
}

const flagsOf = (fd: number) =>
  Number.parseInt(/^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8);
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

describe.each(streams)('file() of a %s connection', (network, makePair) => {
  test('is another descriptor of the same socket, which the peer sees end with the last', async () => {
    using pair = await makePair();
    const fd = pair.client.file();
    expect(fstatSync(fd).isSocket()).toBe(true);
    if (onLinux) expect(flagsOf(fd) & (O_NONBLOCK | O_CLOEXEC)).toBe(O_NONBLOCK | O_CLOEXEC);
    pair.client.close();
    const reading = pair.server.read();
    expect(await isPending(reading)).toBe(true);
    closeSync(fd);
    expect(await reading).toBeNull();
  });

  test('after close: ErrClosed', async () => {
    using pair = await makePair();
    const { client } = pair;
    client.close();
    expect(thrown(() => client.file())).toMatchObject({
      op: 'file',
      code: 'ERR_SPLICEWAY_CLOSED',
      message: `file ${network} ${client.localAddr}->${client.remoteAddr}: use of closed network connection`,
    });
  });

  test('fileConn() of it has the addresses, and a life of its own', async () => {
    using pair = await makePair();
    using copy = fileConn(pair.client.file());
    expect(copy).toBeInstanceOf(network === 'tcp' ? TCPConn : UnixConn);
    expect(`${copy.localAddr}->${copy.remoteAddr}`).toBe(`${pair.client.localAddr}->${pair.client.remoteAddr}`);
    expect(copy.localAddr.network).toBe(network);
    pair.client.close();
    await pair.server.write('still here');
    expect(String(await copy.read())).toBe('still here');
    await copy.write('and back');
    expect(String(await pair.server.read())).toBe('and back');
  });
});

describe.each(streams)('detach() of a %s connection', (network, makePair) => {
  test('gives up the descriptor: the Conn is closed, the connection lives on', async () => {
    using pair = await makePair();
    const { client } = pair;
    const reading = client.read();
    const writing = client.write(bytes(32 * MiB));
    await turns();
    const fd = client.detach();
    expect(await caught(reading)).toMatchObject({ op: 'read', code: 'ERR_SPLICEWAY_CLOSED' });
    const { bytesWritten = 0, code } = await caught(writing);
    expect(code).toBe('ERR_SPLICEWAY_CLOSED');
    expect(client.state).toBe('closed');
    expect(client.close()).toBe(false);
    if (onLinux) expect(flagsOf(fd) & (O_NONBLOCK | O_CLOEXEC)).toBe(O_NONBLOCK | O_CLOEXEC);
    await readExactly(pair.server, bytesWritten);
    await pair.server.write('for the next owner');
    using next = fileConn(fd);
    expect(String(await next.read())).toBe('for the next owner');
    expect(`${next.localAddr}`).toBe(`${client.localAddr}`);
  });

  test('after close: ErrClosed', async () => {
    using pair = await makePair();
    pair.client.close();
    expect(thrown(() => pair.client.detach())).toMatchObject({
      op: 'detach',
      net: network,
      code: 'ERR_SPLICEWAY_CLOSED',
    });
  });

  test('in handler style: what has arrived and was not read goes with it', async () => {
    using pair = await makePair();
    pair.client.handle({ data: () => new Promise(() => {}) });
    await pair.server.write('one');
    await turns();
    await pair.server.write('two');
    using next = fileConn(pair.client.detach());
    expect(String(await next.read())).toBe('two');
  });
});

test.runIf(onLinux)('file() and detach() leave no descriptor behind', async () => {
  const before = openSockets();
  {
    using pair = await tcpPair();
    closeSync(pair.client.file());
    closeSync(pair.client.detach());
    closeSync(pair.listener.file());
    closeSync(pair.listener.detach());
    expect(await pair.server.read()).toBeNull();
  }
  expect(openSockets()).toBe(before);
});

test('a relay refuses both while it runs', async () => {
  using a = await tcpPair();
  using b = await tcpPair();
  const relaying = relay(a.server, b.client);
  for (const op of ['file', 'detach'] as const) {
    expect(thrown(() => a.server[op]())).toMatchObject({ op, code: 'ERR_SPLICEWAY_BUSY' });
  }
  a.server.close();
  await relaying;
});

test("a detached connection serves as Node's own", async () => {
  using pair = await tcpPair();
  await pair.server.write('early');
  const socket = new Socket({ fd: pair.client.detach() });
  const [first] = await once(socket, 'data');
  expect(String(first)).toBe('early');
  socket.end('bye');
  expect(String(await readAll(pair.server))).toBe('bye');
});

describe('a listener', () => {
  test('file(): the socket listens until both are closed', async () => {
    const listener = await listen('tcp', '127.0.0.1:0');
    const fd = listener.file();
    listener.close();
    using client = await dial('tcp', `${listener.addr}`);
    await using copy = fileListener(fd);
    expect(copy).toBeInstanceOf(SocketListener);
    expect(`${copy.addr}`).toBe(`${listener.addr}`);
    using server = await copy.accept();
    expect(server).toBeInstanceOf(TCPConn);
    expect(`${server.remoteAddr}`).toBe(`${client.localAddr}`);
    copy.close();
    expect(await caught(dial('tcp', `${listener.addr}`))).toMatchObject({ code: 'ECONNREFUSED' });
    expect(thrown(() => listener.file()).message).toBe(`file tcp ${listener.addr}: use of closed network connection`);
  });

  test('detach(): waiting accepts end, queued connections go with the socket', async () => {
    const listener = await listen('tcp', '127.0.0.1:0');
    const accepting = listener.accept();
    await turns();
    const fd = listener.detach();
    expect(await caught(accepting)).toMatchObject({ op: 'accept', code: 'ERR_SPLICEWAY_CLOSED' });
    expect(listener.close()).toBe(false);
    using client = await dial('tcp', `${listener.addr}`);
    await client.write('queued');
    await using next = fileListener(fd);
    using server = await next.accept();
    expect(String(await server.read())).toBe('queued');
  });

  test('accepted connections have no-delay and keep-alive, whatever the listener had', async () => {
    const first = await listen('tcp', '127.0.0.1:0', { keepAliveConfig: { enable: false } });
    first.setOption('IPPROTO_TCP', 'TCP_NODELAY', 0);
    await using listener = fileListener(first.detach());
    using client = await dial('tcp', `${listener.addr}`);
    using server = (await listener.accept()) as TCPConn;
    expect(`${server.remoteAddr}`).toBe(`${client.localAddr}`);
    expect(server.getOption('SOL_SOCKET', 'SO_KEEPALIVE')).not.toBe(0);
    expect(server.getOption('IPPROTO_TCP', 'TCP_KEEPINTVL')).toBe(15);
    expect(server.getOption('IPPROTO_TCP', 'TCP_NODELAY')).not.toBe(0);
  });
});

describe.runIf(onLinux)('the file of a Unix listener', () => {
  test('setUnlinkOnClose(false) keeps it, setUnlinkOnClose(true) is the default', async () => {
    const [kept, removed] = [socketPath(), socketPath()];
    const a = await listen('unix', kept);
    a.setUnlinkOnClose(false);
    a.close();
    expect(existsSync(kept)).toBe(true);
    const b = await listen('unix', removed);
    b.setUnlinkOnClose(false);
    b.setUnlinkOnClose(true);
    b.close();
    expect(existsSync(removed)).toBe(false);
    expect(thrown(() => a.setUnlinkOnClose(1 as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });

  test('detach() and the copy of fileListener() leave it; setUnlinkOnClose(true) has it removed', async () => {
    const path = socketPath();
    const listener = await listen('unix', path);
    const copy = fileListener(listener.detach());
    expect(`${copy.addr}`).toBe(path);
    expect(existsSync(path)).toBe(true);
    const again = fileListener(copy.file());
    copy.close();
    expect(existsSync(path)).toBe(true);
    again.setUnlinkOnClose(true);
    again.close();
    expect(existsSync(path)).toBe(false);
  });

  test.runIf(hasPython)('one that another process has made meanwhile stays', async () => {
    const path = socketPath();
    const listener = await listen('unix', path);
    pythonSync(
      `os.unlink(${JSON.stringify(path)}); s = socket.socket(socket.AF_UNIX); s.bind(${JSON.stringify(path)})`,
    );
    listener.close();
    expect(existsSync(path)).toBe(true);
  });
});

describe('fileConn() and fileListener() of what they are not for', () => {
  const wrong = (fd: number) => [thrown(() => fileConn(fd)), thrown(() => fileListener(fd))];
  const isOpen = (fd: number) => {
    try {
      return fstatSync(fd) !== undefined;
    } catch {
      return false;
    }
  };

  test('a file: ENOTSOCK, in Go words', () => {
    const fd = openSync(devNull, 'r');
    for (const error of wrong(fd)) {
      expect(error).toMatchObject({
        op: 'file',
        net: 'file+net',
        source: null,
        addr: { name: devNull },
        code: 'ENOTSOCK',
        syscall: 'getsockopt',
        message: `file file+net ${devNull}: getsockopt: socket operation on non-socket`,
      });
    }
    closeSync(fd);
  });

  test('a number that is no descriptor: EBADF', () => {
    for (const error of wrong(1_000_000)) {
      expect(error).toMatchObject({ code: 'EBADF', message: 'file file+net: fcntl: bad file descriptor' });
    }
  });

  test("a listener for a connection, and the reverse; each stays open, and the caller's", async () => {
    using pair = await tcpPair();
    const [listening, connected] = [pair.listener.file(), pair.client.file()];
    expect(thrown(() => fileConn(listening))).toMatchObject({
      code: 'EINVAL',
      message: 'file file+net: the socket listens: it is for fileListener()',
    });
    expect(thrown(() => fileListener(connected))).toMatchObject({
      code: 'EINVAL',
      message: 'file file+net: the socket does not listen: it is for fileConn()',
    });
    closeSync(listening);
    closeSync(connected);
  });

  /** What both say, in a child, of a socket that Python has made. */
  function saidOf(socket: string): string[] {
    const script = `
      import { fileConn, fileListener } from 'spliceway';
      import { fstatSync } from 'node:fs';
      for (const adopt of [fileConn, fileListener]) {
        try { adopt(9) } catch (error) { console.log(error.code, error.message, fstatSync(9).isSocket()) }
      }`;
    const command = JSON.stringify([process.execPath, '--input-type=module', '--eval', script]);
    const run = `subprocess.run(${command}, cwd=${JSON.stringify(root)}, env=node_env, pass_fds=[os.dup2(s.fileno(), 9)], check=True)`;
    return pythonSync(`import subprocess\ns = ${socket}\n${run}`).trim().split('\n');
  }

  test('datagrams: EINVAL for a listener, and a packet conn as Go has it', async () => {
    using packets = await listenPacket('udp', '127.0.0.1:0');
    const fd = packets.file();
    expect(thrown(() => fileListener(fd))).toMatchObject({ code: 'EINVAL', errno: -22, op: 'file' });
    using same = fileConn(fd) as unknown as UDPConn;
    expect(same).toBeInstanceOf(UDPConn);
    expect(`${same.localAddr}`).toBe(`${packets.localAddr}`);
  });

  test.runIf(hasPython)('a socket that is not connected: ENOTCONN', () => {
    expect(saidOf('socket.socket()')).toEqual([
      'ENOTCONN file file+net: getpeername: transport endpoint is not connected true',
      'EINVAL file file+net: the socket does not listen: it is for fileConn() true',
    ]);
  });

  test.runIf(onLinux)('the descriptor of a Conn of ours: EEXIST, and that one goes on', async () => {
    using pair = await tcpPair();
    pair.client.syscallConn().control((fd) => {
      expect(thrown(() => fileConn(fd))).toMatchObject({ code: 'EEXIST' });
      expect(isOpen(fd)).toBe(true);
    });
    const reading = pair.client.read();
    await pair.server.write('works');
    expect(String(await reading)).toBe('works');
  });

  test('what is no number of a descriptor', () => {
    for (const [value, code] of [
      ['3', 'ERR_INVALID_ARG_TYPE'],
      [undefined, 'ERR_INVALID_ARG_TYPE'],
      [-1, 'ERR_OUT_OF_RANGE'],
      [1.5, 'ERR_OUT_OF_RANGE'],
      [2 ** 31, 'ERR_OUT_OF_RANGE'],
    ]) {
      for (const error of wrong(value as never)) expect(error).toMatchObject({ code });
    }
  });
});

/** A program whose descriptors 3, 4, … are these. */
function spawnWith(source: string, fds: readonly (number | 'pipe')[]) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    cwd: root,
    env: childEnv(),
    stdio: ['ignore', 'pipe', 'inherit', ...fds],
  });
  return { child, ended: once(child, 'close') };
}

describe('inherited descriptors', () => {
  test('a listener as systemd passes it: descriptor 3', async () => {
    const listener = await listen('tcp', '127.0.0.1:0');
    const { child, ended } = spawnWith(
      `
      import { fileListener } from 'spliceway';
      const listener = fileListener(3);
      console.log(String(listener.addr));
      const conn = await listener.accept();
      await conn.write('from the child, ');
      for await (const chunk of conn) await conn.write(chunk);
      conn.close();
      listener.close();
    `,
      [listener.detach()],
    );
    const [line] = await once(child.stdout as NodeJS.ReadableStream, 'data');
    expect(String(line).trim()).toBe(`${listener.addr}`);
    using client = await dial('tcp', `${listener.addr}`);
    await client.write('echoed');
    client.closeWrite();
    expect(String(await readAll(client))).toBe('from the child, echoed');
    expect((await ended)[0]).toBe(0);
  });

  test('a connection', async () => {
    using pair = await tcpPair();
    const fd = pair.server.detach();
    const { ended } = spawnWith(
      `
      import { fileConn } from 'spliceway';
      const conn = fileConn(3);
      await conn.write(String(conn.remoteAddr));
      await conn.shutdown();
    `,
      [fd],
    );
    closeSync(fd);
    expect(String(await readAll(pair.client))).toBe(`${pair.client.localAddr}`);
    pair.client.close();
    expect((await ended)[0]).toBe(0);
  });

  test("a pipe of Node's own child_process, which is a pair of Unix sockets", async () => {
    const { child, ended } = spawnWith(
      `
      import { fileConn } from 'spliceway';
      const conn = fileConn(3);
      for await (const chunk of conn) await conn.write(String(chunk).toUpperCase());
      conn.close();
    `,
      ['pipe'],
    );
    const pipe = child.stdio[3] as unknown as Socket;
    pipe.write('shout');
    const [answer] = await once(pipe, 'data');
    expect(String(answer)).toBe('SHOUT');
    pipe.end();
    expect((await ended)[0]).toBe(0);
  });

  test('packets', async () => {
    using pair = await unixPair('unixpacket');
    const fd = pair.server.detach();
    const { ended } = spawnWith(
      `
      import { fileConn } from 'spliceway';
      const conn = fileConn(3);
      console.error = () => {};
      await conn.write(conn.localAddr.network);
      await conn.write(Buffer.alloc(10));
      conn.close();
    `,
      [fd],
    );
    closeSync(fd);
    expect(String(await pair.client.read())).toBe('unixpacket');
    expect((await pair.client.read())?.length).toBe(10);
    expect(await pair.client.read()).toBeNull();
    expect((await ended)[0]).toBe(0);
  });
});
