// examples/chat-server.mjs and chat-client.mjs, as two people use them.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { FramedConn } from 'spliceway/codec';
import { expect, test } from 'vitest';
import { childEnv, root } from '../support/child.ts';
import { type Serving, startProgram } from '../support/cli.ts';
import { eventually } from '../support/time.ts';

const example = (name: string) => join(root, 'examples', name);

function startClient(name: string, server: Serving) {
  const child = spawn(process.execPath, [example('chat-client.mjs'), name, server.address], { env: childEnv() });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  return {
    get said() {
      return said;
    },
    say: (line: string) => child.stdin.write(`${line}\n`),
    async leave() {
      child.stdin.end();
      const [code] = await once(child, 'close');
      return code;
    },
  };
}

test('what one says the others are told, and who comes and goes', async () => {
  await using server = await startProgram(example('chat-server.mjs'), '127.0.0.1:0');
  // Somebody who sees when the others are in.
  const first = new FramedConn(await server.dial());
  await first.send(1, 'first');
  const heard = async (text: string) => expect(String((await first.receive())?.body)).toBe(text);
  const ann = startClient('ann', server);
  await heard('ann is here');
  const bob = startClient('bob', server);
  await heard('bob is here');
  ann.say('hello');
  await eventually(() => ann.said.includes('bob is here\n') && bob.said.includes('ann: hello\n'));
  bob.say('grüße');
  await eventually(() => ann.said.includes('bob: grüße\n'));
  expect(bob.said).not.toContain('grüße');
  expect(await bob.leave()).toBe(0);
  await eventually(() => ann.said.includes('bob is gone\n'));
  expect(await ann.leave()).toBe(0);
  first.close();
  expect((await server.stop()).code).toBe(0);
});

test('who sends what is no frame is put out, and the others stay', async () => {
  await using server = await startProgram(example('chat-server.mjs'), '127.0.0.1:0');
  const member = new FramedConn(await server.dial());
  await member.send(1, 'member');
  const rude = await server.dial();
  await rude.write('GET / HTTP/1.1\r\n\r\n');
  expect(await rude.read()).toBeNull();
  rude.close();
  await member.send(2, 'still here');
  const other = new FramedConn(await server.dial());
  await other.send(1, 'other');
  expect(String((await member.receive())?.body)).toBe('other is here');
  member.close();
  other.close();
  expect((await server.stop()).stderr).toContain('magic number');
});
