// examples/rpc-server.mjs and rpc-client.mjs.

import { join } from 'node:path';
import { FramedConn } from 'spliceway/codec';
import { expect, test } from 'vitest';
import { caught } from '../support/caught.ts';
import { root, runNode } from '../support/child.ts';
import { startProgram } from '../support/cli.ts';

const example = (name: string) => join(root, 'examples', name);

test('answers find whoever asked, in whichever order they come', async () => {
  await using server = await startProgram(example('rpc-server.mjs'), '127.0.0.1:0');
  const { code, stdout } = await runNode([example('rpc-client.mjs'), 'melon', '3', server.address]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'backwards: nolem\n3 x melon: 7.50\n' });
  expect((await server.stop()).code).toBe(0);
});

test('an error of the procedure reaches the caller', async () => {
  await using server = await startProgram(example('rpc-server.mjs'), '127.0.0.1:0');
  const { code, stderr } = await runNode([example('rpc-client.mjs'), 'grapes', '1', server.address]);
  expect(code).toBe(1);
  expect(stderr).toContain('there is no grapes');
});

test('what is no protocol buffer, and no method, is answered with an error, and the connection goes on', async () => {
  await using server = await startProgram(example('rpc-server.mjs'), '127.0.0.1:0');
  const framed = new FramedConn(await server.dial(), { session: true });
  expect(await caught(framed.request(1, '\x0a\x7f'))).toMatchObject({ code: 'ERR_SPLICEWAY_REQUEST_FAILED' });
  expect(await caught(framed.request(99, ''))).toMatchObject({ message: expect.stringContaining('no such method') });
  expect(String(await framed.request(2, '\x0a\x02ab'))).toBe('\x0a\x02ba');
  await framed.shutdown();
  expect((await server.stop()).code).toBe(0);
});
