// Options of a connection's socket, asked of the kernel by another process (Linux).

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { TCPConn } from 'spliceway';
import { pythonSync } from './python.ts';

/** The descriptor of a TCP connection over IPv4. */
export function descriptorOf(conn: TCPConn): number {
  const inode = inodeOf(`${conn.localAddr}`, `${conn.remoteAddr}`);
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`) === `socket:[${inode}]`) return Number(fd);
    } catch {
      // The one that readdir itself had.
    }
  }
  throw new Error(`no descriptor for ${conn.localAddr}->${conn.remoteAddr}`);
}

function inodeOf(local: string, remote: string): string {
  for (const line of readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    if (readable(fields[1] as string) === local && readable(fields[2] as string) === remote) return fields[9] as string;
  }
  throw new Error(`no socket ${local}->${remote}`);
}

// 0100007F:0050 is 127.0.0.1:80 on a little-endian machine.
function readable(hex: string): string {
  const [ip, port] = hex.split(':') as [string, string];
  const bytes = [...Buffer.from(ip, 'hex')].reverse();
  return `${bytes.join('.')}:${Number.parseInt(port, 16)}`;
}

export interface SocketOptions {
  noDelay: number;
  keepAlive: number;
  keepIdle: number;
  keepInterval: number;
  keepCount: number;
  readBuffer: number;
  writeBuffer: number;
  userTimeout: number;
  linger: [on: number, seconds: number];
  closeOnExec: boolean;
  nonBlocking: boolean;
}

/** What the kernel says of TCP connections over IPv4. */
export function allSocketOptions(conns: readonly TCPConn[]): SocketOptions[] {
  const fds = conns.map(descriptorOf);
  const answer = pythonSync(
    `
import fcntl
def options(fd):
  s = socket.socket(fileno=fd)
  tcp = lambda name: s.getsockopt(socket.IPPROTO_TCP, name)
  sol = lambda name: s.getsockopt(socket.SOL_SOCKET, name)
  return {
    'noDelay': tcp(socket.TCP_NODELAY),
    'keepAlive': sol(socket.SO_KEEPALIVE),
    'keepIdle': tcp(socket.TCP_KEEPIDLE),
    'keepInterval': tcp(socket.TCP_KEEPINTVL),
    'keepCount': tcp(socket.TCP_KEEPCNT),
    'readBuffer': sol(socket.SO_RCVBUF),
    'writeBuffer': sol(socket.SO_SNDBUF),
    'userTimeout': tcp(socket.TCP_USER_TIMEOUT),
    'linger': struct.unpack('ii', s.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)),
    'nonBlocking': bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK),
  }
print(json.dumps([options(3 + i) for i in range(${fds.length})]))
`,
    fds,
  );
  return JSON.parse(answer).map((options: SocketOptions, i: number) => ({
    ...options,
    closeOnExec: closesOnExec(fds[i] as number),
  }));
}

/** What the kernel says of a TCP connection over IPv4. */
export function socketOptions(conn: TCPConn): SocketOptions {
  return allSocketOptions([conn])[0] as SocketOptions;
}

function closesOnExec(fd: number): boolean {
  const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'));
  return (Number.parseInt(flags?.[1] ?? '0', 8) & 0o2000000) !== 0;
}
