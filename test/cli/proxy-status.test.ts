// The line that `spliceway proxy` keeps on a terminal.

import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../support/child.ts';
import { hasPython, pythonSync } from '../support/python.ts';
import { nobody } from '../support/targets.ts';

const main = join(root, 'dist', 'cli', 'main.js');

/** Runs a proxy with a terminal of so many columns as standard error, and one client, until `until` is on it. */
function onTerminal(args: readonly string[], columns: number, until: string): Record<'line' | 'seen' | 'rest', string> {
  const command = JSON.stringify([process.execPath, main, 'proxy', '127.0.0.1:0', ...args]);
  const program = `
import fcntl, pty, signal, subprocess, termios, time
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 24, ${columns}, 0, 0))
child = subprocess.Popen(json.loads(${JSON.stringify(command)}), stdout=subprocess.PIPE, stderr=slave, env=node_env)
os.close(slave)
line = child.stdout.readline().decode()
host, port = line.split()[2].rsplit(':', 1)
client = socket.create_connection((host, int(port)))
seen = b''
if ${JSON.stringify(until)}:
  while ${JSON.stringify(until)}.encode() not in seen: seen += os.read(master, 4096)
else:
  time.sleep(2)
child.send_signal(signal.SIGTERM)
try:
  while True: seen += os.read(master, 4096)
except OSError: pass
rest = child.stdout.read().decode()
assert child.wait() == 0
print(json.dumps({'line': line, 'seen': seen.decode(), 'rest': rest}))
`;
  return JSON.parse(pythonSync(program));
}

describe.runIf(hasPython)('on a terminal', () => {
  test('how it stands is written anew each second, below what stays, and is gone in the end', async () => {
    const { line, seen, rest } = onTerminal([await nobody()], 200, '1 rejected | ');
    expect(line).toMatch(/^listening tcp /);
    expect(rest).toBe('');
    expect(seen).toContain('connection refused\r\n');
    expect(seen).toContain('0 active, 1 in all, 1 rejected | to targets 0 B (0 B/s) | to clients 0 B');
    expect(seen.endsWith('\r\x1b[K')).toBe(true);
  });

  test('it keeps to the width', async () => {
    const { seen } = onTerminal([await nobody()], 20, 'in all');
    const lines = seen.split('\r').filter((text) => text.includes('active'));
    for (const text of lines) expect(text.replace('\x1b[K', '').length).toBeLessThan(20);
  });

  test('there is none with --json', async () => {
    const { seen, rest } = onTerminal([await nobody(), '--json'], 200, '');
    expect(seen).toBe('');
    expect(rest).toContain('"event":"reject"');
  });
});
