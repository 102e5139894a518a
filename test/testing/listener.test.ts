import { type Conn, dial, type Listener, listen } from 'spliceway';
import { limitListener } from 'spliceway/limits';
import { testListener } from 'spliceway/testing';
import { describe, test } from 'vitest';
import { socketPath } from '../support/pair.ts';

const kinds: [name: string, network: 'tcp' | 'unix' | 'unixpacket', wrap: (listener: Listener) => Listener][] = [
  ['tcp', 'tcp', (listener) => listener],
  ['unix', 'unix', (listener) => listener],
  ['unixpacket', 'unixpacket', (listener) => listener],
  ['with a limit', 'tcp', (listener) => limitListener(listener, 5)],
];

describe.each(kinds)('%s', (_, network, wrap) => {
  testListener(
    async () => {
      const listener = wrap(await listen(network, network === 'tcp' ? '127.0.0.1:0' : socketPath()));
      const dialed: Conn[] = [];
      return {
        listener,
        async dial() {
          const conn = await dial(network, `${listener.addr}`);
          dialed.push(conn);
          return conn;
        },
        stop() {
          for (const conn of dialed) conn.close();
          listener.close();
        },
      };
    },
    { test },
  );
});
