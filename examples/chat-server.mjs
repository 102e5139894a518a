// A chat: whatever one says, all the others are told, in frames with a CRC.
//
//   node examples/chat-server.mjs [host:port]        127.0.0.1:7000 unless told
//   node examples/chat-client.mjs NAME [host:port]   in other terminals

import { listen, serve } from 'spliceway';
import { FramedConn } from 'spliceway/codec';

// The commands of this protocol.
const JOIN = 1; // a name, from the client
const SAY = 2; // a line, from the client
const SAID = 3; // "name: line", to the client

const [address = '127.0.0.1:7000'] = process.argv.slice(2);
const members = new Set();

function tellAll(text, except) {
  for (const member of members) {
    if (member === except) continue;
    // Not awaited: nobody waits for the slowest. Who falls behind by more than maxBuffered is put out.
    member.send(SAID, text).catch(() => members.delete(member));
  }
}

async function talk(conn) {
  const member = new FramedConn(conn, { maxFrame: 4096, maxBuffered: 256 * 1024, whenFull: 'close' });
  let name = 'somebody';
  try {
    for await (const { command, body } of member) {
      if (command === JOIN) {
        name = body.toString().slice(0, 32);
        members.add(member);
        tellAll(`${name} is here`, member);
      } else if (command === SAY) {
        tellAll(`${name}: ${body}`, member);
      }
    }
  } catch (error) {
    console.error(`${name}: ${error.message}`); // a reset, or a frame that was none
  } finally {
    if (members.delete(member)) tellAll(`${name} is gone`);
    member.close();
  }
}

const listener = await listen('tcp', address);
const server = serve(listener, talk);
console.log(`listening tcp ${listener.addr}`);
const stop = () => server.shutdown({ timeout: 100 });
process.once('SIGINT', stop).once('SIGTERM', stop);
