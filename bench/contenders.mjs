// Who is measured. A contender is a name and how to start it:
//
//   name      as options and results.json call it
//   label     as tables call it; `short` in the head of a column, for those that others are compared to
//   command   (listen, target) => the command line; target is for proxies
//   needs     files that must be there, and what makes them
//   silent    true for a server that does not print "listening <network> <address>": it must take the
//             address it is given, and is probed until it accepts
//   installed () => boolean, for a peer that not every machine has: it is left out where it is missing

import { fileURLToPath } from 'node:url';

const pathOf = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The path of a program of bench/native. */
export const native = (name) => pathOf(`native/build/${name}`);

function plainC(name, label, short) {
  return {
    label,
    short,
    command: (...addresses) => [native(name), ...given(addresses)],
    needs: { files: [native(name)], made: 'npm run build:bench' },
  };
}

function script(file, label, short) {
  return {
    label,
    short,
    command: (...addresses) => [process.execPath, pathOf(`servers/${file}`), ...given(addresses)],
  };
}

function spliceway(file, label) {
  return { ...script(file, label), needs: { files: [pathOf('../dist/index.mjs')], made: 'npm run build' } };
}

function given(addresses) {
  return addresses.filter((address) => address !== undefined);
}

// Programs that measure themselves: their arguments come from the cell.
function program(file, label, ...first) {
  return {
    label,
    command: (...rest) => [process.execPath, pathOf(`programs/${file}`), ...first, ...rest],
    needs: { files: [pathOf('../dist/index.mjs')], made: 'npm run build' },
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
