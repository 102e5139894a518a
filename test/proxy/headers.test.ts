// PROXY headers, from the balancer in front and to the targets behind.

import { dial, listen, type ProxyHeader, type TCPAddr, Proxy as TcpProxy } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { readAll, readExactly } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { send } from '../support/chain.ts';
import { socketPath } from '../support/pair.ts';
import { ask, echo, greeter, target } from '../support/targets.ts';
import { eventually } from '../support/time.ts';

const V1 = 'PROXY TCP4 192.0.2.7 198.51.100.1 5555 443\r\n';
const trusted = ['127.0.0.0/8'];

describe('to targets', () => {
  test.each([1, 2] as const)("version %s tells the client's address, ahead of its bytes", async (version) => {
    await using to = await listen('tcp', '127.0.0.1:0', { proxyProtocol: { trusted } });
    await using proxy = await TcpProxy.listen('tcp', '127.0.0.1:0', {
      targets: `${to.addr}`,
      sendProxyHeader: { version },
    });
    using client = await dial('tcp', `${proxy.addr}`);
    await send(client, 'hello');
    using upstream = await to.accept();
    expect(`${upstream.remoteAddr}`).toBe(`${client.localAddr}`);
    expect(`${upstream.localAddr}`).toBe(`${proxy.addr}`);
    expect((upstream.proxyHeader as ProxyHeader).version).toBe(version);
    expect(String(await readAll(upstream))).toBe('hello');
  });

  test('fields go along', async () => {
    await using to = await listen('tcp', '127.0.0.1:0', { proxyProtocol: { trusted } });
    const tlvs = [{ type: 0xe0, value: 'mine' }];
    await using proxy = await TcpProxy.listen('tcp', '127.0.0.1:0', {
      targets: `${to.addr}`,
      sendProxyHeader: { tlvs },
    });
    using _client = await dial('tcp', `${proxy.addr}`);
    using upstream = await to.accept();
    expect(upstream.proxyHeader?.tlvs.map(({ type, value }) => [type, String(value)])).toEqual([[0xe0, 'mine']]);
  });

  test('a format that cannot be is told at once', async () => {
    const options = { targets: '127.0.0.1:80', sendProxyHeader: { version: 3 as never } };
    expect(await caught(TcpProxy.listen('tcp', '127.0.0.1:0', options))).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
    });
  });
});

describe('from a balancer', () => {
  test("the client's address is what the header says, for targets, hashes and limits", async () => {
    using to = await target();
    const sources: string[] = [];
    await using proxy = await TcpProxy.listen('tcp', '127.0.0.1:0', {
      targets: to.argument,
      maxPerSource: 1,
      sendProxyHeader: { version: 1 },
      listen: { proxyProtocol: { trusted } },
      onEvent: (event) => {
        if (event.type === 'connect') sources.push(`${event.source}`);
      },
    });
    using client = await dial('tcp', `${proxy.addr}`);
    await client.write(`${V1}hello`);
    using upstream = await to.accept();
    expect(String(await readExactly(upstream, V1.length + 5))).toBe(`${V1}hello`);
    expect(sources).toEqual(['192.0.2.7:5555']);
    // Another one for the same client is one too many; one for another client is not.
    using second = await dial('tcp', `${proxy.addr}`);
    await send(second, V1);
    expect(await readAll(second).catch(() => Buffer.alloc(0))).toHaveLength(0);
    expect(proxy.stats.rejected.maxPerSource).toBe(1);
    using third = await dial('tcp', `${proxy.addr}`);
    await third.write(V1.replace('192.0.2.7', '192.0.2.8'));
    (await to.accept()).close();
  });

  test('who is not trusted is a plain client; a header that is missing, bad or late ends it, and is counted', async () => {
    await using to = await greeter('hello');
    const proxyProtocol = { trusted: ['127.0.0.1'], timeout: 50 };
    await using proxy = await TcpProxy.listen('tcp', '127.0.0.1:0', {
      targets: to.argument,
      listen: { proxyProtocol },
    });
    if (process.platform === 'linux') expect(await ask(proxy, '127.0.0.2:0')).toBe('hello');
    expect(await ask(proxy)).toBe('');
    for (const bad of ['GET / HTTP/1.1\r\n\r\n', 'PROXY TCP4 nonsense\r\n']) {
      using client = await dial('tcp', `${proxy.addr}`);
      await client.write(bad);
      expect(await readAll(client).catch(() => Buffer.alloc(0))).toHaveLength(0);
    }
    await eventually(() => proxy.stats.proxyHeaders?.malformed === 1);
    expect(proxy.stats.proxyHeaders).toMatchObject({ timeout: 1, missing: 1, malformed: 1 });
  });

  test('required: false serves those without one', async () => {
    await using to = await echo();
    const proxyProtocol = { trusted, required: false };
    await using proxy = await TcpProxy.listen('tcp', '127.0.0.1:0', {
      targets: to.argument,
      listen: { proxyProtocol },
    });
    using client = await dial('tcp', `${proxy.addr}`);
    await client.write('no header');
    expect(String(await readExactly(client, 9))).toBe('no header');
  });

  test('over a Unix socket too, and on to the next proxy', async () => {
    using to = await listen('tcp', '127.0.0.1:0', { proxyProtocol: { trusted } });
    await using inner = await TcpProxy.listen('unix', socketPath(), {
      targets: `${to.addr}`,
      sendProxyHeader: { version: 2 },
      listen: { proxyProtocol: { trusted: ['unix'] } },
    });
    await using outer = await TcpProxy.listen('tcp', '127.0.0.1:0', {
      targets: `unix:${inner.addr}`,
      sendProxyHeader: { version: 2 },
    });
    using client = await dial('tcp', `${outer.addr}`);
    await send(client, 'all the way');
    using upstream = await to.accept();
    expect(`${upstream.remoteAddr}`).toBe(`${client.localAddr}`);
    expect((upstream.peerAddr as TCPAddr).port).not.toBe((client.localAddr as TCPAddr).port);
    expect(String(await readAll(upstream))).toBe('all the way');
  });
});
