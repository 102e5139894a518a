// What an ES module sees of the types. Without them all would be `any`, and the expected error none.

import { type Conn, dial, type Listener, listen, OpError, type RelayResult, relay } from 'spliceway';

const listener: Listener = await listen('tcp', '127.0.0.1:0');
const conn: Conn = await dial('tcp', listener.addr.toString(), { timeout: 1000 });
const bytes: Buffer | null = await conn.read();
const result: RelayResult = await relay(conn, await listener.accept());
// @ts-expect-error: there is no such network
await dial('smoke', '127.0.0.1:0');

export { bytes, OpError, result };
