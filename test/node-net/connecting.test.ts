// What connect() makes of its options, and of a lookup's answers.

import { printSame } from './both.ts';

printSame([
  [
    'a second connect, before the first is done',
    `const server = await listening(net.createServer((peer) => peer.on('error', () => {}).end('x')), 0, '127.0.0.1');
    const local = /Local .*/;
    const socket = new net.Socket().on('error', ({ message, code }) => log(message.replace(local, ''), code));
    socket.connect(ports[0], '127.0.0.1', () => log('first'));
    socket.connect(ports[0], '127.0.0.1', () => log('second'));
    socket.on('close', (hadError) => { log('close', hadError); server.close(); });`,
  ],
  [
    'one socket for connection after connection',
    `const server = await listening(net.createServer((peer) => peer.end('x')), 0, '127.0.0.1');
    const socket = watch('client', new net.Socket(), 'connect', 'ready', 'data', 'end', 'finish', 'close');
    let left = 3;
    socket.on('close', () => {
      log(socket.destroyed, socket.readyState, socket.bytesRead);
      if (--left > 0) socket.connect(ports[0], '127.0.0.1');
      else server.close();
    });
    socket.connect(ports[0], '127.0.0.1');`,
  ],
  [
    'local addresses and ports',
    `const port = await unused();
    ports.push(port, await unused());
    for (const options of [
      { host: '127.0.0.1', localPort: ports[1] }, { host: '::1', localPort: ports[1] }, { host: '127.0.0.1', localAddress: '127.0.0.1' },
      { host: '127.0.0.1', localAddress: '::1' }, { host: '::1', localAddress: '127.0.0.1' }, { host: '127.0.0.1', localAddress: '192.0.2.1' },
    ]) {
      const socket = net.connect({ port, ...options }).on('error', (error) => log(options, error));
      await once(socket, 'close').catch(() => {});
    }`,
  ],
  [
    'answers of a lookup that are none',
    `const port = await unused();
    const answers = {
      'no address': (all, done) => done(null, 'somewhere', 4),
      'a family that there is not': (all, done) => done(null, all ? [{ address: '127.0.0.1', family: 5 }] : '127.0.0.1', 5),
      'an address where a list was asked for': (all, done) => done(null, '127.0.0.1', 4),
      'a list in part': (all, done) => done(null, all ? [{ address: 'x', family: 4 }, { address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4),
      'an error': (all, done) => done(Object.assign(new Error('mine'), { code: 'EMINE' })),
    };
    for (const [name, answer] of Object.entries(answers)) for (const family of [0, 4]) {
      const lookup = (host, options, done) => { log(name, host, options); answer(options.all, done); };
      const socket = watch(name, net.connect({ port, host: 'some.where', lookup, family }), 'lookup', 'error');
      await once(socket, 'close').catch(() => {});
    }`,
  ],
  [
    'addresses in turn, those that do not answer too',
    `const server = await listening(net.createServer((peer) => peer.end('x')), 0, '127.0.0.1');
    const all = [{ address: '::1', family: 6 }, { address: '127.0.0.2', family: 4 }, { address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 }];
    const socket = net.connect({ port: ports[0], host: 'some.where', lookup: (host, options, done) => done(null, all) });
    watch('client', socket, 'connectionAttempt', 'connectionAttemptFailed', 'connect', 'data', 'close', 'error');
    await once(socket, 'close');
    log(socket.autoSelectFamilyAttemptedAddresses);
    server.close();`,
  ],
  [
    'peers beyond a limit',
    `const server = await listening(net.createServer((peer) => peer.resume()), 0, '127.0.0.1');
    server.maxConnections = 1;
    server.on('drop', (data) => log(Object.keys(data).sort(), data.localAddress, data.localPort, data.remoteFamily));
    const first = net.connect(ports[0], '127.0.0.1');
    await once(first, 'connect');
    const second = watch('second', net.connect(ports[0], '127.0.0.1').resume(), 'end', 'close');
    await once(second, 'close');
    first.destroy();
    server.close();`,
  ],
]);
