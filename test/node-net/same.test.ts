// How programs use node:net, from a request and its answer to what can go wrong.

import { PATIENCE } from '../support/time.ts';
import { type Programs, printSame } from './both.ts';

/** Milliseconds after which a process counts as kept alive. */
const STILL_ALIVE = PATIENCE === 1 ? 800 : 3000;

const EXITING = `
    process.on('exit', () => log('exit'));
    const late = setTimeout(() => { log('still alive'); process.exit(); }, ${STILL_ALIVE});
    late.unref();
    const server = await listening(net.createServer((peer) => { peer.on('error', () => {}); globalThis.peer = peer; }), 0, '127.0.0.1');
    server.unref();`;

// Each ends by itself with 'exit' alone, or is ended when something has kept it alive.
const exits: Programs = [
  ['a server that is unref()ed', ''],
  ['a server that is ref()ed again', 'server.ref();'],
  ['a connect that is unref()ed', `net.connect(ports[0], '127.0.0.1', () => log('connected')).unref();`],
  ['a socket that reads', `net.connect(ports[0], '127.0.0.1');`],
  [
    'a socket that is unref()ed, and its peer',
    `const c = net.connect(ports[0], '127.0.0.1'); await once(c, 'connect'); c.unref(); await new Promise(setImmediate); peer.unref();`,
  ],
  [
    'a socket that does not read',
    `server.pauseOnConnect = true; const c = net.connect(ports[0], '127.0.0.1'); c.pause(); await once(c, 'connect'); await new Promise(setImmediate); log(peer.isPaused());`,
  ],
  [
    'a write on a socket that is unref()ed',
    `server.pauseOnConnect = true; const c = net.connect(ports[0], '127.0.0.1'); await once(c, 'connect'); c.unref(); c.write(Buffer.alloc(64 << 20));`,
  ],
  [
    'a timeout of a socket that is unref()ed',
    `const c = net.connect(ports[0], '127.0.0.1'); await once(c, 'connect'); c.unref().setTimeout(50, () => log('timeout')); await new Promise(setImmediate); peer.unref();`,
  ],
  [
    'a socket that is destroyed',
    `const c = net.connect(ports[0], '127.0.0.1'); c.on('close', () => log('close')); c.destroy();`,
  ],
  ['a socket that was never connected', `new net.Socket().ref().unref().setTimeout(50);`],
];

printSame([
  ...exits.map(([name, source]): [string, string] => [`a process with ${name}`, EXITING + source]),
  [
    'a request and its answer',
    `const server = await listening(net.createServer((socket) => {
      watch('server', socket, 'data', 'end', 'finish', 'close');
      socket.on('data', () => socket.end('answer'));
    }), 0, '127.0.0.1');
    const client = watch('client', net.connect(ports[0], '127.0.0.1'), ...ALL);
    client.write('question');
    client.on('close', () => { server.close(() => log('closed')); });`,
  ],
  [
    'a refused connect',
    `const port = await unused();
    watch('client', net.connect(port, '127.0.0.1'), ...ALL, 'lookup', 'connectionAttempt', 'connectionAttemptFailed');`,
  ],
  [
    'a refused connect to a name with two addresses',
    `const port = await unused();
    const lookup = (host, options, done) => done(null, [{ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 }]);
    const socket = net.connect({ port, host: 'somewhere', lookup });
    watch('client', socket, 'error', 'close', 'lookup', 'connectionAttempt', 'connectionAttemptFailed');
    socket.on('error', (error) => log(...error.errors, socket.autoSelectFamilyAttemptedAddresses));`,
  ],
  [
    'a path that is not there',
    `watch('client', net.connect('/nowhere/at/all'), ...ALL, 'connectionAttempt', 'connectionAttemptFailed');`,
  ],
  [
    'addresses in use',
    `const server = await listening(net.createServer(), 0, '127.0.0.1');
    const second = net.createServer().on('error', (error) => { log(error, second.listening); server.close(); });
    second.listen(ports[0], '127.0.0.1');
    const client = net.connect({ port: ports[0], host: '127.0.0.1', localAddress: '127.0.0.1', localPort: ports[0] });
    watch('client', client, 'error', 'close');`,
  ],
  [
    'listening where one cannot',
    `for (const options of [{ port: 0, host: '192.0.2.1' }, { path: '/nowhere/at/all' }, { path: '/proc/version' }, { fd: 12345 }]) {
      const server = net.createServer().on('error', (error) => log(options, error));
      server.listen(options);
      await once(server, 'error');
    }`,
  ],
  [
    'arguments that cannot be',
    `const { Socket, Server, connect, createServer } = net;
    for (const call of [
      () => connect(), () => connect({}), () => connect({ port: true }), () => connect({ port: 65536 }), () => connect(-1),
      () => connect({ port: 'x' }), () => connect({ port: 1, localAddress: 'here' }), () => connect({ port: 1, localPort: 'x' }),
      () => connect({ port: 1, host: 'a', lookup: 1 }), () => connect({ path: 1 }), () => connect({ path: [] }), () => connect({ port: 1, host: 'a', autoSelectFamily: 1 }),
      () => connect({ port: 1, autoSelectFamilyAttemptTimeout: 0 }), () => connect({ port: 1, autoSelectFamilyAttemptTimeout: 1.5 }),
      () => new Socket({ objectMode: true }), () => new Socket({ readableObjectMode: true }), () => new Socket({ fd: -1 }),
      () => new Socket({ fd: 1.5 }), () => new Socket({ fd: 'x' }), () => new Socket({ keepAliveInitialDelay: 'x' }), () => new Socket({ fd: 12345 }),
      () => new Socket({ signal: 1 }), () => new Server(1), () => new Server('x'), () => new Server({ highWaterMark: 'x' }),
      () => new Server({ keepAliveInitialDelay: {} }), () => createServer().listen({}), () => createServer().listen({ port: -1 }),
      () => createServer().listen({ port: {} }), () => createServer().listen({ port: true }), () => createServer().listen({ path: '' }),
      () => createServer().listen({ host: 'x' }), () => createServer().listen('65536'), () => createServer().listen({ port: 0, signal: 'x' }),
      () => createServer().listen(false), () => createServer().listen({ path: '\\0x', readableAll: true }),
      () => new Socket().setTimeout('x'), () => new Socket().setTimeout(-1), () => new Socket().setTimeout(NaN), () => new Socket().setTimeout(1, 2),
      () => new Socket().write({}), () => new Socket().write(null), () => new Socket().write('x', 'nothing'),
      () => net.setDefaultAutoSelectFamily('x'), () => net.setDefaultAutoSelectFamilyAttemptTimeout(0), () => net.setDefaultAutoSelectFamilyAttemptTimeout({}),
    ]) {
      const result = caught(call);
      log(call.toString(), result instanceof Error ? result : typeof result);
      result?.on?.('error', () => {});
      result?.destroy?.();
      if (result?.listening) result.close();
    }
    process.exit();`,
  ],
  [
    'what is there before a connect, and after',
    `const socket = new net.Socket();
    const state = () => log(socket.pending, socket.connecting, socket.readyState, socket.destroyed, socket.bytesRead,
      socket.bytesWritten, socket.bufferSize, socket.writableLength, socket.address(), socket.remoteAddress, socket.remotePort,
      socket.remoteFamily, socket.localAddress, socket.timeout, socket.allowHalfOpen, socket.readableHighWaterMark, socket.writableHighWaterMark);
    state();
    const server = await listening(net.createServer((peer) => peer.end('bye')), 0, '127.0.0.1');
    socket.connect(ports[0], '127.0.0.1');
    state();
    socket.write('four');
    socket.write('fives');
    state();
    await once(socket, 'connect');
    ports.push(socket.localPort);
    state();
    socket.resume();
    await once(socket, 'close');
    state();
    server.close();`,
  ],
  [
    'back-pressure',
    `const server = await listening(net.createServer((peer) => { setTimeout(() => peer.resume(), 50); }), 0, '127.0.0.1');
    const client = net.connect(ports[0], '127.0.0.1');
    const told = [];
    const big = Buffer.alloc(1 << 20);
    for (const each of ['x'.repeat(100), 'y'.repeat(20000), big, 'z']) {
      log(client.write(each, () => told.push(each.length)), client.writableLength, client.writableNeedDrain, client.bytesWritten);
    }
    client.once('drain', () => { log('drain', client.writableLength, client.bytesWritten, told); client.end(); });
    client.on('close', () => { log(client.bytesWritten, client.bytesRead); server.close(); });`,
  ],
  [
    'half open',
    `const server = await listening(net.createServer({ allowHalfOpen: true }, (peer) => {
      watch('server', peer, 'end', 'finish', 'close');
      peer.resume();
      peer.on('end', () => { log(peer.readyState, peer.writable); peer.write('still '); setTimeout(() => peer.end('here'), 20); });
    }), 0, '127.0.0.1');
    const client = watch('client', net.connect({ port: ports[0], host: '127.0.0.1', allowHalfOpen: true }), 'data', 'end', 'finish', 'close');
    client.end('question', () => log('ended', client.readyState));
    client.on('close', () => server.close());`,
  ],
  [
    'writing to a socket that the other side has ended',
    `const server = await listening(net.createServer((peer) => peer.end()), 0, '127.0.0.1');
    const client = watch('client', net.connect(ports[0], '127.0.0.1'), 'end', 'finish', 'error', 'close');
    client.resume();
    client.on('end', () => { log(client.write('x', (error) => log('told', error))); });
    client.on('close', () => { log(client.write('y', (error) => log('told', error))); server.close(); });`,
  ],
  [
    'a reset',
    `const server = await listening(net.createServer((peer) => { log(peer.resetAndDestroy() === peer); watch('server', peer, 'error', 'close'); }), 0, '127.0.0.1');
    const client = watch('client', net.connect(ports[0], '127.0.0.1'), 'error', 'end', 'close');
    client.resume();
    client.on('close', () => server.close());
    const idle = watch('idle', new net.Socket(), 'error', 'close');
    idle.resetAndDestroy();`,
  ],
  [
    'writes that wait for the connection, and one that is destroyed before',
    `const server = await listening(net.createServer((peer) => peer.pipe(peer)), 0, '127.0.0.1');
    const client = watch('client', net.connect(ports[0], '127.0.0.1'), 'data', 'close');
    client.write('a', () => log('a'));
    client.write(Buffer.from('b'), () => log('b'));
    client.end('c', () => log('c'));
    const other = watch('other', net.connect(ports[0], '127.0.0.1'), 'error', 'close', 'connect');
    other.write('lost', (error) => log('lost', error));
    other.destroy();
    client.on('close', () => server.close());`,
  ],
  [
    'order of close events, immediates and ticks',
    `const peers = [];
    const server = await listening(net.createServer((peer) => peers.push(peer)), 0, '127.0.0.1');
    const clients = [1, 2, 3].map(() => net.connect(ports[0], '127.0.0.1'));
    await Promise.all(clients.map((client) => once(client, 'connect')));
    while (peers.length < 3) await new Promise(setImmediate);
    clients.forEach((client, i) => client.on('close', () => log('close', i)));
    setTimeout(() => {
      setImmediate(() => log('immediate before'));
      for (const client of clients) client.destroy();
      process.nextTick(() => log('tick'));
      setImmediate(() => log('immediate after'));
      server.close(() => log('server closed'));
    }, 10);`,
  ],
  [
    'asynchronous contexts',
    `const store = new AsyncLocalStorage();
    const at = (name) => log(name, store.getStore());
    const server = net.createServer((peer) => {
      at('connection');
      peer.on('data', () => { at('server data'); peer.end('x'); });
      peer.on('close', () => at('server close'));
    });
    await store.run('listen', () => listening(server, 0, '127.0.0.1'));
    store.run('connect', () => {
      const client = net.connect(ports[0], '127.0.0.1');
      for (const event of ['connect', 'ready', 'data', 'end', 'close']) client.on(event, () => at(event));
      store.run('write', () => client.write('x', () => at('written')));
      client.on('close', () => server.close());
    });`,
  ],
  [
    'timeouts',
    `const server = await listening(net.createServer((peer) => { peer.setTimeout(300); watch('server', peer, 'timeout', 'close'); peer.on('timeout', () => peer.end()); peer.resume(); }), 0, '127.0.0.1');
    const client = net.connect({ port: ports[0], host: '127.0.0.1', timeout: 20 });
    watch('client', client, 'end', 'close').once('timeout', () => { log('timeout', client.timeout, client.setTimeout(0) === client, client.timeout); });
    client.resume();
    client.on('close', () => server.close());`,
  ],
  [
    'a limit of connections',
    `const server = net.createServer((peer) => { log('connection', server.maxConnections); peer.resume(); });
    server.maxConnections = 1;
    server.on('drop', (data) => log('drop', Object.keys(data), data.localFamily, data.remoteAddress));
    await listening(server, 0, '127.0.0.1');
    const first = net.connect(ports[0], '127.0.0.1');
    await once(first, 'connect');
    server.getConnections((error, count) => log(error, count));
    const second = watch('second', net.connect(ports[0], '127.0.0.1'), 'end', 'close', 'error');
    second.resume();
    second.on('close', () => { first.end(); server.close(() => log('closed')); });
    first.resume();`,
  ],
  [
    'Unix sockets, abstract ones too',
    `const folder = mkdtempSync(tmpdir() + '/n');
    ports.push(folder, process.pid);
    for (const path of [folder + '/s', '\\0spliceway-' + process.pid]) {
      const server = net.createServer((peer) => { log(peer.address(), peer.remoteAddress); peer.end('x'); });
      await listening(server, { path, readableAll: true && path[0] !== '\\0', writableAll: path[0] !== '\\0' });
      log(server.address() === path, server.listening, path[0] === '\\0' ? '' : (statSync(path).mode & 0o666).toString(8));
      const client = watch('client', net.connect(path), 'connect', 'data', 'close');
      log(client.address(), client.connecting);
      await once(client, 'close');
      server.close();
      await once(server, 'close');
      log(existsSync(path.replace('\\0', '/nowhere')), server.address(), server.listening);
    }`,
  ],
  [
    'the properties of a server',
    `const server = net.createServer();
    log(server.listening, server.address(), Object.keys(server).filter((key) => !key.startsWith('_')).sort());
    await listening(server, 0);
    log(server.listening, server.address(), caught(() => server.listen(0)));
    server.close((error) => log('closed', error));
    log(server.listening, server.address());
    server.close((error) => log('again', error));`,
  ],
  [
    'onread',
    `const server = await listening(net.createServer((peer) => peer.end('hello world')), 0, '127.0.0.1');
    const buffer = Buffer.alloc(4);
    const onread = { buffer, callback(n, p) { log(n, p === buffer, String(p.subarray(0, n)), this === socket); return true; } };
    const socket = net.connect({ port: ports[0], host: '127.0.0.1', onread });
    watch('client', socket, 'data', 'end', 'close');
    socket.on('close', () => { log(socket.bytesRead); server.close(); });`,
  ],
  [
    'onread with what only stands in front of a buffer',
    `const server = await listening(net.createServer((peer) => peer.end('hello world')), 0, '127.0.0.1');
    const onread = { buffer: new Proxy(Buffer.alloc(4), {}), callback: () => log('called') };
    const socket = net.connect({ port: ports[0], host: '127.0.0.1', onread });
    watch('client', socket, 'data', 'end', 'close');
    socket.on('close', () => { log(socket.bytesRead); server.close(); });`,
  ],
  [
    'functions and classes of the module',
    `const own = new Set(Object.keys(net));
    log(['connect', 'createConnection', 'createServer', 'Server', 'Socket', 'Stream', 'isIP', 'isIPv4', 'isIPv6', 'BlockList', 'SocketAddress'].every((name) => own.has(name)));
    log(net.Stream === net.Socket, net.createConnection === net.connect, net.Socket() instanceof net.Socket, net.Server() instanceof net.Server);
    function Old(options) { net.Socket.call(this, options); }
    Object.setPrototypeOf(Old.prototype, net.Socket.prototype);
    class New extends net.Socket { extra = 1; }
    const { Duplex } = await import('node:stream');
    log(new Old() instanceof Duplex, new Old().readyState, new New().extra, new New().pending, net.Socket.name, net.Server.name, net.Socket.prototype.constructor === net.Socket);
    log(net.isIP('::1'), net.isIP('1.2.3.4'), net.isIP('x'), net.getDefaultAutoSelectFamily(), net.getDefaultAutoSelectFamilyAttemptTimeout());
    log(Object.getPrototypeOf(net.Socket) === Duplex);`,
  ],
  [
    'what aborts',
    `const server = await listening(net.createServer((peer) => peer.resume()), 0, '127.0.0.1');
    const controller = new AbortController();
    const client = watch('client', net.connect({ port: ports[0], host: '127.0.0.1', signal: controller.signal }), 'error', 'close');
    await once(client, 'connect');
    const ended = once(client, 'close').catch(() => {});
    controller.abort();
    await ended;
    const stopping = new AbortController();
    server.close();
    const second = net.createServer().listen({ port: 0, signal: stopping.signal }, () => stopping.abort());
    second.on('close', () => log('second closed'));`,
  ],
  [
    'exceptions in ticks, and promises that nobody catches',
    `process.on('uncaughtException', (error, origin) => log('uncaught', error, origin));
    const server = await listening(net.createServer((peer) => {
      process.nextTick(() => { throw new Error('in a tick'); });
      peer.on('data', (chunk) => {
        Promise.reject(new Error('nobody'));
        process.nextTick(() => { peer.end(chunk); throw new Error('in another'); });
      });
    }), 0, '127.0.0.1');
    const client = watch('client', net.connect(ports[0], '127.0.0.1'), 'data', 'end', 'close');
    client.on('connect', () => process.nextTick(() => { throw new Error('in a tick of the client'); }));
    client.write('one');
    client.on('close', () => { process.nextTick(() => { throw new Error('at the end'); }); server.close(() => log('closed')); });`,
  ],
  [
    'an exception of a listener',
    `process.on('uncaughtException', (error) => log('uncaught', error));
    const server = await listening(net.createServer((peer) => { peer.on('data', (chunk) => { log(String(chunk)); peer.write('again'); throw new Error('mine'); }); peer.on('end', () => log('end')); }), 0, '127.0.0.1');
    const client = watch('client', net.connect(ports[0], '127.0.0.1'), 'data', 'close');
    client.write('one');
    client.once('data', () => { client.write('two'); client.once('data', () => client.end()); });
    client.on('close', () => server.close());`,
  ],
]);
