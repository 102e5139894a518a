// A server that speaks in lines: nc or telnet is its client.
//
//   node examples/line-server.mjs [host:port]   127.0.0.1:7001 unless told
//   nc 127.0.0.1 7001                           then: time, echo TEXT, quit

import { listen, serve } from 'spliceway';
import { lines, MessageConn } from 'spliceway/codec';

const [address = '127.0.0.1:7001'] = process.argv.slice(2);

const answers = {
  time: () => new Date().toISOString(),
  echo: (text) => text,
};

async function talk(conn) {
  // A line of at most 1 KiB, which may take ten seconds from its first byte to its end.
  const client = new MessageConn(conn, lines(), { maxFrame: 1024, frameTimeout: 10_000 });
  for await (const line of client) {
    const [word, ...rest] = line.toString().trim().split(' ');
    if (word === 'quit') break;
    const answer = Object.hasOwn(answers, word) ? answers[word](rest.join(' ')) : `what is ${word || 'an empty line'}?`;
    await client.send(answer);
  }
  await client.shutdown();
}

const listener = await listen('tcp', address);
const server = serve(listener, talk, { onError: (error) => console.error(error.message) });
console.log(`listening tcp ${listener.addr}`);

const stop = () => server.shutdown({ timeout: 100 });
process.once('SIGINT', stop).once('SIGTERM', stop);
