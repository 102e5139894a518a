// What AsyncLocalStorage, async_hooks and diagnostics_channel tell of sockets and servers.

import { printSame } from './both.ts';

const CONTEXTS = `
    const store = new AsyncLocalStorage();
    const at = (name) => log(name, store.getStore());`;

printSame([
  [
    'contexts of a lookup, a timeout, a half-close',
    `${CONTEXTS}
    const server = store.run('server', () => net.createServer((peer) => {
      at('connection');
      peer.on('end', () => { at('server end'); peer.end('answer', () => at('server ended')); });
      peer.resume();
    }));
    await store.run('listen', () => listening(server, 0, '127.0.0.1'));
    store.run('client', () => {
      const client = net.connect({ port: ports[0], host: 'localhost', family: 4 }, () => at('connected'));
      for (const event of ['lookup', 'connectionAttempt', 'finish', 'data', 'end', 'close']) client.on(event, () => at(event));
      client.on('connect', () => client.setTimeout(50, () => { at('timeout'); store.run('end', () => client.end(() => at('ended'))); }));
      client.on('close', () => store.run('close', () => server.close(() => at('server closed'))));
    });`,
  ],
  [
    'contexts of writes that wait, and of drain',
    `${CONTEXTS}
    const server = await listening(net.createServer((peer) => setTimeout(() => peer.resume(), 30)), 0, '127.0.0.1');
    const client = net.connect(ports[0], '127.0.0.1').resume();
    await once(client, 'connect');
    store.run('first', () => client.write(Buffer.alloc(8 << 20), () => at('first written')));
    store.run('second', () => client.write('x', () => at('second written')));
    store.run('drain', () => client.on('drain', () => at('drain')));
    store.run('end', () => client.end(() => at('ended')));
    client.on('close', () => server.close());`,
  ],
  [
    'contexts of errors',
    `${CONTEXTS}
    const port = await unused();
    const refused = store.run('refused', () => net.connect(port, '127.0.0.1').on('error', () => at('error')));
    await new Promise((resolve) => refused.on('close', () => { at('close'); resolve(); }));
    const lookup = (host, options, done) => store.run('lookup', () => setTimeout(done, 5, new Error('not found')));
    const lost = store.run('lost', () => net.connect({ port, host: 'nowhere.invalid', lookup }).on('error', () => at('lost')));
    await new Promise((resolve) => lost.on('lookup', () => at('looked up')).on('close', resolve));
    store.run('server', () => net.createServer().listen({ port: 0, host: '192.0.2.1' }).on('error', () => at('listen error')));`,
  ],
  [
    'resources of async_hooks, and what each is triggered by',
    `const { createHook } = await import('node:async_hooks');
    const names = new Map();
    const events = [];
    createHook({
      init(id, type, trigger) {
        if (!/TCP|PIPE|WRITEWRAP|SHUTDOWN/.test(type)) return;
        names.set(id, type);
        events.push('init ' + type + ' by ' + (names.get(trigger) ?? 'another'));
      },
      destroy(id) { if (names.has(id)) events.push('destroy ' + names.get(id)); },
    }).enable();
    const server = await listening(net.createServer((peer) => peer.resume().on('end', () => peer.end('x'))), 0, '127.0.0.1');
    const client = net.connect(ports[0], '127.0.0.1').resume();
    await once(client, 'connect');
    client.write(Buffer.alloc(8 << 20));
    client.end('y');
    await once(client, 'close');
    server.close();
    await once(server, 'close');
    await new Promise(setImmediate);
    log(events.sort().join());`,
  ],
  [
    "a connection's events run in its own context, not its server's",
    `const { executionAsyncId } = await import('node:async_hooks');
    const server = await listening(net.createServer((peer) => {
      const id = peer._handle.getAsyncId();
      log(executionAsyncId() === server._handle.getAsyncId(), executionAsyncId() === id);
      peer.on('data', () => log(executionAsyncId() === id));
      peer.on('end', () => peer.end());
    }), 0, '127.0.0.1');
    net.connect(ports[0], '127.0.0.1').resume().on('close', () => server.close()).end('x');`,
  ],
  [
    'channels of diagnostics_channel',
    `const { subscribe } = await import('node:diagnostics_channel');
    for (const side of ['client', 'server']) {
      subscribe('net.' + side + '.socket', ({ socket }) => log(side, socket instanceof net.Socket, socket.readyState));
    }
    for (const what of ['asyncStart', 'asyncEnd', 'error']) {
      subscribe('tracing:net.server.listen:' + what, ({ server, options, error }) => log(what, server instanceof net.Server, options, error));
    }
    const server = await listening(net.createServer((peer) => { log('connection'); peer.end(); }), 0, '127.0.0.1');
    const client = net.connect(ports[0], '127.0.0.1').resume();
    log('made');
    await once(client, 'close');
    await once(net.createServer().listen(ports[0], '127.0.0.1'), 'error').catch(() => {});
    await once(new net.Socket().connect(ports[0], '127.0.0.1').resume(), 'close');
    server.close();`,
  ],
]);
