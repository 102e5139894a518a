import { expect, test } from 'vitest';
import { tcpPair } from '../support/pair.ts';

test('write() on one end is read() on the other', async () => {
  using pair = await tcpPair();
  expect(await pair.client.write('hello')).toBe(5);
  expect(String(await pair.server.read())).toBe('hello');
});
