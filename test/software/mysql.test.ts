// mysql2 on our sockets, and a MariaDB.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  findProgram,
  freePort,
  giveIdentity,
  ordinaryUser,
  Service,
  serverFolder,
  titleOf,
} from '../support/software.ts';
import { LARGE, makeData, run } from './run.ts';

const server = findProgram('mariadbd', ['/usr/sbin']);

const USER = `
  create or replace user 'spliceway'@'%' identified by 'secret';
  grant all on *.* to 'spliceway'@'%';
  create database if not exists spliceway;
`;

describe.skipIf(server === null)(titleOf('mysql2', server, 'MariaDB'), () => {
  let service: Service;
  let port: number;
  let folder: string;

  beforeAll(async () => {
    folder = serverFolder();
    port = await freePort();
    const data = join(folder, 'data');
    const make = ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'];
    makeData('mariadb-install-db', folder, ...make);
    giveIdentity(folder);
    writeFileSync(join(folder, 'user.sql'), USER);
    const settings = {
      datadir: data,
      socket: join(folder, 'socket'),
      'pid-file': join(folder, 'pid'),
      'init-file': join(folder, 'user.sql'),
      'bind-address': '127.0.0.1',
      port,
      'max-allowed-packet': 4 * LARGE,
      'ssl-key': join(folder, 'key.pem'),
      'ssl-cert': join(folder, 'cert.pem'),
    };
    const options = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
    service = new Service(
      [server as string, '--no-defaults', '--skip-name-resolve', ...options],
      folder,
      ordinaryUser(),
    );
  }, 30_000);
  // It does not heed SIGINT.
  afterAll(() => service?.stop('SIGTERM'));

  test('queries, statements, 8 MiB each way, a stream of rows, a pool; also over TLS', async () => {
    const { client } = await run('mysql', `${port}`, join(folder, 'socket'));
    expect(client.sockets).toBeGreaterThanOrEqual(3 * 11);
    expect(client.bytesWritten).toBeGreaterThan(3 * LARGE);
    expect(client.bytesRead).toBeGreaterThan(3 * LARGE);
  });

  test('a server that is killed and comes back', async () => {
    const before = service.restarts;
    const { client } = await run('mysql-restart', `${port}`, join(folder, 'pid'));
    expect(service.restarts - before).toBe(2);
    expect(client.sockets).toBeGreaterThanOrEqual(2 * 5);
  });
});
