import { type OpError, Proxy as TcpProxy } from 'spliceway';
import { expect, test } from 'vitest';

test('one address in two networks is two targets', async () => {
  const proxy = await TcpProxy.listen('tcp', '127.0.0.1:0', {
    targets: [{ network: 'tcp6', address: 'localhost:1' }, { network: 'tcp4', address: 'localhost:1' }, 'localhost:1'],
  });
  expect(proxy.stats.targets.map(({ name }) => name)).toEqual(['tcp6:localhost:1', 'tcp4:localhost:1', 'localhost:1']);
  proxy.close();
});

test('a Unix target without a path is refused at once', async () => {
  for (const targets of ['unix:', { network: 'unix', address: '' } as const]) {
    const error = await TcpProxy.listen('tcp', '127.0.0.1:0', { targets }).then(
      () => null,
      (thrown: OpError) => thrown,
    );
    expect(error).toMatchObject({ name: 'OpError', code: 'ERR_SPLICEWAY_ADDRESS' });
  }
});
