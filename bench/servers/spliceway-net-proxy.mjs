// node-net-proxy.mjs with spliceway/net in place of node:net.

import { connect, createServer } from 'spliceway/net';
import { addressesGiven, hostAndPort, listenAndAnnounce } from './address.mjs';

const [address, target] = addressesGiven(2, 'spliceway-net-proxy.mjs host:port target-host:port');

// allowHalfOpen: a FIN from one side must not end what the other still sends.
const options = { ...hostAndPort(target), allowHalfOpen: true, noDelay: true };

function forward(client) {
  const upstream = connect(options);
  client.pipe(upstream).pipe(client);
  client.on('error', () => upstream.destroy());
  upstream.on('error', () => client.destroy());
}

listenAndAnnounce(createServer({ allowHalfOpen: true, noDelay: true }, forward), address);
