// The other end of chat-server.mjs: what is typed is said, and what others say is printed.

import { createInterface } from 'node:readline';
import { dial } from 'spliceway';
import { FramedConn } from 'spliceway/codec';

const JOIN = 1;
const SAY = 2;

const [name = 'somebody', address = '127.0.0.1:7000'] = process.argv.slice(2);
const chat = new FramedConn(await dial('tcp', address, { timeout: 5000 }));
await chat.send(JOIN, name);

const keyboard = createInterface({ input: process.stdin });
keyboard.on('line', (line) => chat.send(SAY, line).catch((error) => console.error(error.message)));
keyboard.on('close', () => chat.shutdown({ timeout: 500 }));

for await (const { body } of chat) console.log(`${body}`);
keyboard.close();
