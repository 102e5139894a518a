// Preloaded into a server: a line "block MS" on standard input stops its JavaScript for so long. Afterwards
// it says "blocked FROM TO", in nanoseconds of the monotonic clock.

import { createInterface } from 'node:readline';

const never = new Int32Array(new SharedArrayBuffer(4));

createInterface({ input: process.stdin }).on('line', (line) => {
  const from = process.hrtime.bigint();
  Atomics.wait(never, 0, 0, Number(line.split(' ')[1]));
  console.log(`blocked ${from} ${process.hrtime.bigint()}`);
});
