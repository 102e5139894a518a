// What a program that runs on `spliceway/net/register` can say of its sockets: whose they are, and what they carried.

import { subscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';

const sockets = { client: new Set(), server: new Set() };
for (const [side, set] of Object.entries(sockets)) subscribe(`net.${side}.socket`, ({ socket }) => set.add(socket));

// Those that are made by `new Socket()` are on no channel.
const { connect } = Socket.prototype;
Socket.prototype.connect = function (...args) {
  sockets.client.add(this);
  return connect.apply(this, args);
};

const handlesNow = () => process.getActiveResourcesInfo().filter((name) => /TCP|Pipe|Shutdown|Connect/.test(name));

// Output and errors go through pipes, which are Node's.
void process.stdout;
void process.stderr;
const standard = handlesNow();
let handles = [];

/** To be called while there are connections: are there handles of Node's, TCPSocketWrap and the like? */
export function look() {
  handles = handles.concat(handlesNow().slice(standard.length));
}

const total = (set, what) => [...set].reduce((sum, socket) => sum + socket[what], 0);

const carried = (set) => ({
  sockets: set.size,
  ours: [...set].filter((socket) => typeof socket.setReadDeadline === 'function').length,
  bytesRead: total(set, 'bytesRead'),
  bytesWritten: total(set, 'bytesWritten'),
});

/** Prints it. */
export function report() {
  const { client, server } = sockets;
  console.log(JSON.stringify({ client: carried(client), server: carried(server), handles }));
}
