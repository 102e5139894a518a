// examples/line-server.mjs, as one talks to it with nc.

import { join } from 'node:path';
import { lines, MessageConn } from 'spliceway/codec';
import { expect, test } from 'vitest';
import { root } from '../support/child.ts';
import { startProgram } from '../support/cli.ts';

const example = join(root, 'examples', 'line-server.mjs');

test('answers each line, and ends at quit', async () => {
  await using server = await startProgram(example, '127.0.0.1:0');
  const conn = await server.dial();
  await conn.write('echo some text\r\nti');
  await conn.write('me\nnonsense\n\ntoString\nquit\n');
  const answers: string[] = [];
  for await (const line of new MessageConn(conn, lines())) answers.push(String(line));
  conn.close();
  expect(answers).toEqual([
    'some text',
    expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    'what is nonsense?',
    'what is an empty line?',
    'what is toString?',
  ]);
  expect((await server.stop()).code).toBe(0);
});

test('a line without an end is cut off', async () => {
  await using server = await startProgram(example, '127.0.0.1:0');
  const conn = await server.dial();
  await conn.write('x'.repeat(2000));
  expect(await conn.read()).toBeNull();
  conn.close();
  expect((await server.stop()).stderr).toContain('is too large');
});
