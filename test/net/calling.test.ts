// Handlers whose calls a peer makes fail, on connections that no Server owns: the process lives.

import { describe, expect, test } from 'vitest';
import { runScript } from '../support/child.ts';

const thenless = `const answer = { get then() { throw new Error('in a getter'); } };`;

describe('a promise of a handler that a peer makes reject', () => {
  test('on a dialed connection is told to error()', async () => {
    const { code, stdout, stderr } = await runScript(`
      import { dial, listen } from 'spliceway';
      const listener = await listen('tcp', '127.0.0.1:0');
      const client = await dial('tcp', String(listener.addr));
      const server = await listener.accept();
      client.handle({
        data: async () => { for (;;) await client.write(Buffer.alloc(1 << 20)); },
        error: (error) => { console.log(error.name, client.state); listener.close(); },
      });
      await server.write('begin');
      await server.read();
      server.setLinger(0);
      server.close();
    `);
    expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: '', stdout: 'OpError closed\n' });
  });

  test('on a pipe is told to error()', async () => {
    const { code, stdout, stderr } = await runScript(`
      import { pipe } from 'spliceway';
      const [a, b] = pipe();
      a.handle({ data: () => a.write('answer'), error: (error) => console.log(error.code, a.state) });
      await b.write('question');
      setTimeout(() => b.close(), 20);
    `);
    expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: '', stdout: 'ERR_SPLICEWAY_CLOSED_PIPE closed\n' });
  });

  test('on a packet conn is told to error(), and the next datagrams are handled', async () => {
    const { code, stdout, stderr } = await runScript(`
      import { dial, listenPacket } from 'spliceway';
      const conn = await listenPacket('udp', '127.0.0.1:0');
      const peer = await dial('udp', String(conn.localAddr));
      conn.handle({
        message: async (data, addr) => {
          if (String(data) === 'big') await conn.writeTo(Buffer.alloc(70_000), addr);
          console.log(String(data));
          if (String(data) === 'last') conn.close();
        },
        error: (error) => console.log(error.code, conn.state),
      });
      for (const text of ['big', 'next', 'last']) await peer.write(text);
    `);
    expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: '', stdout: 'EMSGSIZE active\nnext\nlast\n' });
  });
});

describe('an answer that throws when it is asked for then()', () => {
  test.each([
    ['a pipe', `import { pipe } from 'spliceway'; const [conn, far] = pipe(); conn.handle({ data: () => answer });`],
    [
      'a packet conn',
      `import { dial, listenPacket } from 'spliceway';
       const conn = await listenPacket('udp', '127.0.0.1:0');
       const far = await dial('udp', String(conn.localAddr));
       conn.handle({ message: () => answer });`,
    ],
  ])('on %s closes it, and is an exception of the process', async (_name, make) => {
    const { code, stdout } = await runScript(`
      ${make}
      ${thenless}
      process.on('uncaughtException', (error) => console.log(error.message, conn.state));
      await far.write('x');
    `);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'in a getter closed\n' });
  });
});
