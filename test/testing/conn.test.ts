import { dial, listen, type ProxyProtocolOptions, pipe, writeProxyHeader } from 'spliceway';
import { limitListener } from 'spliceway/limits';
import { type ConnPair, testConn } from 'spliceway/testing';
import { describe, test } from 'vitest';
import { type Pair, tcpPair, unixPair } from '../support/pair.ts';

const asPair = ({ client, server, ...pair }: Pair<never>): ConnPair => ({
  a: client,
  b: server,
  stop: () => pair[Symbol.dispose](),
});

describe('tcp', () => {
  testConn(async () => asPair((await tcpPair()) as Pair<never>), { test });
});

describe('unix', () => {
  testConn(async () => asPair((await unixPair()) as Pair<never>), { test });
});

describe('unixpacket', () => {
  testConn(async () => asPair((await unixPair('unixpacket')) as Pair<never>), { test, packets: true });
});

async function makePipe(): Promise<ConnPair> {
  const [a, b] = pipe();
  const stop = () => {
    a.close();
    b.close();
  };
  return { a, b, stop };
}

describe('pipe', () => {
  testConn(makePipe, { test });
});

async function proxied(trusted: ProxyProtocolOptions['trusted'], version?: 1 | 2): Promise<ConnPair> {
  const listener = await listen('tcp', '127.0.0.1:0', { proxyProtocol: { trusted } });
  const b = await dial('tcp', `${listener.addr}`);
  if (version !== undefined) await writeProxyHeader(b, b, { version });
  const a = await listener.accept();
  const stop = () => {
    for (const each of [a, b, listener]) each.close();
  };
  return { a, b, stop };
}

describe('a connection whose PROXY header was read', () => {
  testConn(() => proxied(['127.0.0.1'], 1), { test });
});

describe('a connection whose first bytes are looked at', () => {
  testConn(() => proxied([]), { test });
});

describe('a connection that a limit counts', () => {
  testConn(
    async () => {
      const listener = limitListener(await listen('tcp', '127.0.0.1:0'), 1);
      const [a, b] = await Promise.all([dial('tcp', `${listener.addr}`), listener.accept()]);
      const stop = () => {
        for (const each of [a, b, listener]) each.close();
      };
      return { a, b, stop };
    },
    { test },
  );
});
