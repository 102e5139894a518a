// examples/database-client.mjs, and the driver that it uses.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { caught } from '../support/caught.ts';
import { root, runNode } from '../support/child.ts';
import { startProgram } from '../support/cli.ts';
import { eventually } from '../support/time.ts';

const example = (name: string) => join(root, 'examples', name);
const startServer = () => startProgram(example('database-server.mjs'), '127.0.0.1:0');

async function databaseOf(address: string) {
  const { Database } = await import(example('database-driver.mjs'));
  return new Database(address, { maxOpen: 1 });
}

test('a transaction happens as a whole or not at all, and one that is forgotten never', async () => {
  await using server = await startServer();
  const { code, stdout, stderr } = await runNode([example('database-client.mjs'), server.address]);
  expect(stderr).toBe('');
  expect(stdout).toBe(
    'ann has 70, bob has 30\n' +
      'not moved: ann has only 70\n' +
      'ann has 70, bob has 30\n' +
      'ann has 70, bob has 30\n' +
      '1 connections made, 0 that could not be rolled back\n',
  );
  expect(code).toBe(0);
});

test('a connection that is returned inside a transaction and cannot be rolled back is discarded', async () => {
  await using server = await startServer();
  const database = await databaseOf(server.address);
  const lease = await database.pool.borrow();
  await lease.conn.begin();
  lease.conn.rollback = () => Promise.reject(new Error('no answer'));
  lease.release();
  await eventually(() => database.pool.stats().discarded.reset === 1);
  expect(lease.conn.isOpen).toBe(false);
  expect(await database.query('get ?', 'ann')).toBeNull();
  await database.close();
});

test('a statement is prepared once for each connection, and mistakes are told', async () => {
  await using server = await startServer();
  const database = await databaseOf(server.address);
  const lease = await database.pool.borrow();
  const [first, second] = [await lease.conn.prepare('put ? ?'), await lease.conn.prepare('put ? ?')];
  await first.execute('name', 'value');
  await second.execute('name', 'other');
  expect((await caught<Error>(lease.conn.query('drop ?'))).message).toContain('no such statement: drop ?');
  lease.release();
  expect(await database.query('get ?', 'name')).toBe('other');
  await database.close();
});

test('a connection whose server went away while it idled is not lent', async () => {
  await using server = await startServer();
  const database = await databaseOf(server.address);
  await database.query('get ?', 'x');
  await server.stop('SIGKILL');
  const error = await caught(database.query('get ?', 'x'));
  expect(error.code).toBe('ECONNREFUSED');
  await database.close();
});
