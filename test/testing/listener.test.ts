import { type Conn, dial, formatProxyHeader, type Listener, listen, proxyListener } from 'spliceway';
import { limitListener } from 'spliceway/limits';
import { testListener } from 'spliceway/testing';
import { describe, test } from 'vitest';
import { socketPath } from '../support/pair.ts';

type Network = 'tcp' | 'unix' | 'unixpacket';

const header = formatProxyHeader({ version: 1 });

const kinds: [name: string, network: Network, wrap: (listener: Listener) => Listener, greeting?: Buffer][] = [
  ['tcp', 'tcp', (listener) => listener],
  ['unix', 'unix', (listener) => listener],
  ['unixpacket', 'unixpacket', (listener) => listener],
  ['with a limit', 'tcp', (listener) => limitListener(listener, 5)],
  ['with PROXY headers', 'tcp', (listener) => proxyListener(listener, { trusted: ['127.0.0.1'] }), header],
  ['with PROXY headers, over Unix', 'unix', (listener) => proxyListener(listener, { trusted: ['unix'] }), header],
  ['with PROXY headers of others', 'tcp', (listener) => proxyListener(listener, { trusted: [] })],
];

describe.each(kinds)('%s', (_, network, wrap, greeting) => {
  testListener(
    async () => {
      const listener = wrap(await listen(network, network === 'tcp' ? '127.0.0.1:0' : socketPath()));
      const dialed: Conn[] = [];
      return {
        listener,
        async dial() {
          const conn = await dial(network, `${listener.addr}`);
          dialed.push(conn);
          if (greeting !== undefined) await conn.write(greeting);
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
