// pg on our sockets, and a PostgreSQL.

import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  findPostgres,
  freePort,
  giveIdentity,
  ordinaryUser,
  Service,
  serverFolder,
  titleOf,
} from '../support/software.ts';
import { LARGE, makeData, run } from './run.ts';

const initdb = findPostgres();

describe.skipIf(initdb === null)(titleOf('pg', initdb, 'PostgreSQL'), () => {
  let service: Service;
  let port: number;
  let folder: string;

  beforeAll(async () => {
    folder = serverFolder();
    port = await freePort();
    const make = ['--username=spliceway', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'];
    makeData(initdb as string, folder, '--pgdata', folder, ...make);
    giveIdentity(folder);
    const settings = ['fsync=off', 'ssl=on', 'ssl_key_file=key.pem', 'ssl_cert_file=cert.pem'].flatMap((set) => [
      '-c',
      set,
    ]);
    const command = [
      join(dirname(initdb as string), 'postgres'),
      '-D',
      folder,
      '-k',
      folder,
      '-h',
      '127.0.0.1',
      '-p',
      `${port}`,
    ];
    service = new Service([...command, ...settings], folder, ordinaryUser());
  });
  afterAll(() => service?.stop());

  test('queries, 8 MiB each way, notifications, a pool; also over TLS', async () => {
    const { client } = await run('postgres', `${port}`, folder);
    expect(client.sockets).toBe(3 * 11);
    expect(client.bytesWritten).toBeGreaterThan(3 * LARGE);
    expect(client.bytesRead).toBeGreaterThan(3 * LARGE);
  });

  test('a server that loses a process, and all its sessions', async () => {
    const { client } = await run('postgres-restart', `${port}`);
    expect(client.sockets).toBeGreaterThanOrEqual(2 * 6);
  });
});
