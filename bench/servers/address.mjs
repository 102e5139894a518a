// The command line of every server here: the address to listen on, and for a proxy its target; and
// the line by which it tells that it accepts.

/** `127.0.0.1:80` as node:net wants it. */
export function hostAndPort(address) {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

/** The addresses on the command line; ends the process where they are not as many as there should be. */
export function addressesGiven(count, usage) {
  const given = process.argv.slice(2);
  if (given.length !== count) {
    console.error(`usage: ${usage}`);
    process.exit(2);
  }
  return given;
}

export function announce({ host, port }, network = 'tcp') {
  console.log(`listening ${network} ${host}:${port}`);
}

/** Starts a server of node:net and tells where it listens. */
export function listenAndAnnounce(server, address) {
  const { host, port } = hostAndPort(address);
  server.listen({ host, port, backlog: 4096 }, () => announce({ host, port: server.address().port }));
}
