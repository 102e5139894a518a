// Who is measured; products that not every machine has are in peers/. A contender is a name and how to start it:
//
//   name      as options and results.json call it
//   label     as tables call it; `short` in the head of a column, for those that others are compared to
//   command   (listen, target) => the command line; target is for proxies, and the file for those that send one
//   request   (file) => what to GET, for those that send it over HTTP
//   needs     files that must be there, and what makes them
//   silent    true for a server that does not print "listening <network> <address>": it must take the
//             address it is given, and is probed until it accepts
//   installed () => boolean, for a peer that not every machine has: it is left out where it is missing

import { fileURLToPath } from 'node:url';

const pathOf = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The path of a program of bench/native. */
export const native = (name) => pathOf(`native/build/${name}`);

function plainC(name, label, short, ...last) {
  return {
    label,
    short,
    command: (...addresses) => [native(name), ...given(addresses), ...last],
    needs: { files: [native(name)], made: 'npm run build:bench' },
  };
}

function script(file, label, short, ...last) {
  return {
    label,
    short,
    command: (...addresses) => [process.execPath, pathOf(`servers/${file}`), ...given(addresses), ...last],
  };
}

const BUILT = { files: [pathOf('../dist/index.mjs')], made: 'npm run build' };

function spliceway(file, label, ...last) {
  return { ...script(file, label, undefined, ...last), needs: BUILT };
}

/** The same server, with options of Node's. */
function withNode(contender, ...options) {
  const command = (...addresses) => {
    const [node, ...rest] = contender.command(...addresses);
    return [node, ...options, ...rest];
  };
  return { ...contender, command };
}

/** The same server, which stops its JavaScript when it is told to. */
const blockable = (contender) => withNode(contender, '--import', pathOf('servers/block.mjs'));

function given(addresses) {
  return addresses.filter((address) => address !== undefined);
}

// Programs that measure themselves: their arguments come from the cell.
function program(file, label, ...first) {
  return {
    label,
    command: (...rest) => [process.execPath, pathOf(`programs/${file}`), ...first, ...rest],
    needs: BUILT,
  };
}

// Echo servers.
export const cEcho = { name: 'c', ...plainC('c-echo', 'C, epoll', 'C') };
export const nodeNet = { name: 'node-net', ...script('node-net.mjs', "node:net on('data')", 'node:net') };
export const nodeNetOnread = { name: 'node-net-onread', ...script('node-net-onread.mjs', 'node:net onread') };
export const handler = { name: 'spliceway-handler', ...spliceway('spliceway-handler.mjs', 'spliceway handle()') };
export const awaiting = { name: 'spliceway-await', ...spliceway('spliceway-await.mjs', 'spliceway await read()') };
export const awaitingInto = {
  name: 'spliceway-await-into',
  ...spliceway('spliceway-await-into.mjs', 'spliceway await read(p)'),
};
export const splicewayNet = { name: 'spliceway-net', ...spliceway('spliceway-net.mjs', "spliceway/net on('data')") };

// UDP echo servers.
export const cUdp = { name: 'c', ...plainC('c-udp-echo', 'C, epoll', 'C') };
export const nodeDgram = { name: 'node-dgram', ...script('node-dgram.mjs', 'node:dgram', 'node:dgram') };
export const udpAwait = {
  name: 'spliceway-await',
  ...spliceway('spliceway-udp-await.mjs', 'spliceway await readFrom()'),
};
export const udpAwaitBatch = {
  name: 'spliceway-await-batch',
  ...spliceway('spliceway-udp-await-batch.mjs', 'spliceway await readBatch()'),
};
export const udpHandler = {
  name: 'spliceway-handler',
  ...spliceway('spliceway-udp-handler.mjs', 'spliceway handle({ message })'),
};
export const udpBatch = {
  name: 'spliceway-batch',
  ...spliceway('spliceway-udp-batch.mjs', 'spliceway handle({ batch })'),
};

// Proxies.
export const cSplice = { name: 'c-splice', ...plainC('c-splice-proxy', 'C, splice', 'C') };
export const nodeNetPipe = { name: 'node-net-pipe', ...script('node-net-proxy.mjs', 'node:net pipe', 'node:net') };
export const relaying = { name: 'spliceway-relay', ...spliceway('spliceway-proxy.mjs', 'spliceway relay()') };
/** For many connections that live long: V8's young generation does not grow with them. In MiB. */
const SMALL_YOUNG = '--max-semi-space-size=1';
export const relayingSmall = {
  ...withNode(relaying, SMALL_YOUNG),
  name: 'spliceway-relay-small',
  label: `spliceway relay(), node ${SMALL_YOUNG}`,
};
export const proxyCommand = {
  name: 'spliceway-proxy',
  label: 'spliceway proxy',
  command: (...addresses) => [process.execPath, pathOf('../dist/cli/main.js'), 'proxy', ...given(addresses)],
  needs: BUILT,
};
export const splicewayNetPipe = {
  name: 'spliceway-net-pipe',
  ...spliceway('spliceway-net-proxy.mjs', 'spliceway/net pipe'),
};

export const nodeNetPipeBlocked = blockable(nodeNetPipe);
export const relayingBlocked = blockable(relaying);

// HTTP servers.
export const nodeHTTP = { name: 'node-http', ...script('node-http.mjs', 'node:http listen()', 'node:http') };
export const splicewayHTTP = { name: 'spliceway-attach', ...spliceway('spliceway-http.mjs', 'spliceway attach()') };
export const splicewayNetHTTP = {
  name: 'spliceway-net',
  ...spliceway('spliceway-net-http.mjs', 'spliceway/net sockets'),
};

// Servers of a file.
export const cSendfile = { name: 'c', ...plainC('c-sendfile', 'C, sendfile', 'C') };
export const nodeFilePipe = { name: 'node-pipe', ...script('node-send.mjs', 'createReadStream().pipe()', 'node pipe') };
export const sending = { name: 'spliceway-send', ...spliceway('spliceway-send.mjs', 'spliceway sendFile()') };

// Servers of a file over and over.
export const cReadWrite = {
  name: 'c-read-write',
  ...plainC('c-pieces', 'C, read and write', 'C, read', 'read-write'),
};
export const cSplicePieces = { name: 'c-splice', ...plainC('c-pieces', 'C, splice', 'C, splice', 'splice') };
export const cSendfilePieces = { name: 'c-sendfile', ...plainC('c-pieces', 'C, sendfile', 'C, sendfile', 'sendfile') };
export const copyingPieces = {
  name: 'spliceway-pieces',
  ...spliceway('spliceway-send-again.mjs', 'spliceway copy(), 32 KiB a call', 'pieces'),
};
export const copyingWhole = {
  name: 'spliceway-whole',
  ...spliceway('spliceway-send-again.mjs', 'spliceway copy(), 1 MiB a call', 'whole'),
};

// Deadlines.
export const settingDeadlines = {
  name: 'spliceway-deadline',
  ...program('deadlines.mjs', 'spliceway setReadDeadline()', 'spliceway'),
};
export const settingTimeouts = {
  name: 'node-net-timeout',
  short: 'node:net',
  ...program('deadlines.mjs', 'node:net setTimeout()', 'node-net'),
};

// Pools.
export const borrowing = { name: 'spliceway-pool', ...program('pool.mjs', 'spliceway borrow()', 'spliceway') };
export const tryBorrowing = {
  name: 'spliceway-pool-try',
  ...program('pool.mjs', 'spliceway tryBorrow()', 'spliceway-try'),
};
export const genericPool = {
  name: 'generic-pool',
  short: 'generic-pool',
  ...program('pool.mjs', 'generic-pool', 'generic-pool'),
};

// A connection for each request, or one from a pool.
export const dialing = {
  name: 'dial',
  short: 'dial',
  ...program('time-wait.mjs', 'spliceway dial() each time', 'dial'),
};
export const pooling = { name: 'pool', ...program('time-wait.mjs', 'spliceway Pool', 'pool') };

// Heartbeats: idle, and their round trips.
export const heartbeat = { name: 'heartbeat', ...program('heartbeat-idle.mjs', 'FramedConn with a heartbeat') };
export const ponging = { name: 'heartbeat', ...program('heartbeat-rtt.mjs', 'PING and PONG', 'spliceway') };
export const cEchoing = {
  name: 'c',
  short: 'C',
  ...program('heartbeat-rtt.mjs', 'C, epoll, an echo', 'c'),
  needs: { files: [native('c-echo'), native('c-ping')], made: 'npm run build:bench' },
};

// Heartbeats of a process whose JavaScript stands still.
export const beating = {
  name: 'heartbeat',
  ...program('heartbeat-blocked.mjs', 'FramedConn with a heartbeat', 'spliceway'),
};
export const beatingByMisses = {
  name: 'node-net-misses',
  ...program('heartbeat-blocked.mjs', 'node:net, timers, three misses', 'misses'),
};
export const beatingBySilence = {
  name: 'node-net-silence',
  ...program('heartbeat-blocked.mjs', 'node:net, timers, silence', 'silence'),
};

// CRC-32.
export const crc32Zlib = { name: 'zlib', short: 'zlib', ...program('crc32.mjs', 'zlib.crc32()', 'zlib') };
export const crc32Spliceway = { name: 'spliceway', ...program('crc32.mjs', 'spliceway crc32()', 'spliceway') };

// Servers that count frames.
export const nodeFramesPlain = {
  name: 'node-net-plain',
  ...script('node-frames-plain.mjs', 'JavaScript over node:net, as mostly written', 'JS, plain'),
};
export const nodeFrames = {
  name: 'node-net',
  ...script('node-frames.mjs', 'JavaScript over node:net, the fastest', 'JS'),
};
export const nodeFramesAwaiting = {
  name: 'node-net-await',
  ...script('node-frames-await.mjs', 'JavaScript over node:net, for await', 'JS await'),
};
export const splicewayFrames = { name: 'spliceway', ...spliceway('spliceway-frames.mjs', 'FramedConn onFrames()') };
export const splicewayFramesAwaiting = {
  name: 'spliceway-await',
  ...spliceway('spliceway-frames-await.mjs', 'FramedConn for await'),
};
// Clients whose server is killed.
export const standingBy = { name: 'standby', ...program('failover.mjs', 'spliceway, with a standby', 'standby') };
export const rebuilding = { name: 'rebuild', ...program('failover.mjs', 'spliceway, without one', 'rebuild') };

// Servers that count lines.
export const readline = { name: 'readline', ...script('node-readline.mjs', "node:readline on('line')", 'readline') };
export const readlineAwaiting = {
  name: 'readline-await',
  ...script('node-readline-await.mjs', 'node:readline for await', 'readline await'),
};
export const scanning = { name: 'scanner', ...spliceway('spliceway-scanner.mjs', 'Scanner batches of text') };
export const scanningAwaiting = {
  name: 'scanner-await',
  ...spliceway('spliceway-scanner-await.mjs', 'Scanner for await, text'),
};
export const scanningBytes = {
  name: 'scanner-bytes',
  ...spliceway('spliceway-scanner-bytes.mjs', 'Scanner batches of bytes'),
};

// Serialisers. What a round takes of memory shows where nothing is collected meanwhile.
const serialising = (name, label) => {
  const { command, ...rest } = program('serialise.mjs', label, name);
  const flags = ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128'];
  const flagged = ([node, ...args]) => [node, ...flags, ...args];
  return { name, short: name, ...rest, command: (...given) => flagged(command(...given)) };
};
export const asProtobufjs = serialising('protobufjs', 'protobufjs');
export const asFlatBuffers = serialising('flatbuffers', 'flatbuffers');
export const asJson = serialising('json', 'JSON');
export const asMsgpackr = serialising('msgpackr', 'msgpackr');
