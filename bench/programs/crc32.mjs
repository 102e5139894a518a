// crc32.mjs spliceway|zlib size 1 seconds: prints, as one line of JSON, the CPU nanoseconds of a CRC of so many bytes, in
// each slice of time.

import { crc32 as zlib } from 'node:zlib';
import { crc32 as spliceway } from 'spliceway/codec';

const [implementation, size, , seconds] = process.argv.slice(2);
const crc32 = { spliceway, zlib }[implementation];
// Bytes between two looks at the clock, where a call has the price of 64 at least.
const BYTES_AT_ONCE = 4 * 2 ** 20;

const bytes = Buffer.from({ length: Number(size) }, (_, i) => i);
const calls = Math.floor(BYTES_AT_ONCE / (bytes.length + 64)) + 1;
let crc = 0;

function cpuNs(since) {
  const { user, system } = process.cpuUsage(since);
  return (user + system) * 1000;
}

const values = [];
for (const until = Date.now() + seconds * 1000; Date.now() < until; ) {
  const from = process.cpuUsage();
  for (let i = 0; i < calls; i++) crc ^= crc32(bytes);
  values.push(cpuNs(from) / calls);
}
if (crc === 1) values.pop(); // so that it is needed
console.log(JSON.stringify(values.slice(Math.ceil(values.length / 4)))); // the compiler is through by then
