// npm run soak: relay() under all that can happen to connections, for so many transfers or minutes.
//
// The last line is `N passed, N failed`. A transfer is one direction of a relay; it has passed when the right
// bytes came: all of them, or as many as there were when the relay was cut. What else can fail is the proxy: an
// error that it should not have, a relay that does not end, a descriptor that it does not give back.

import { existsSync } from 'node:fs';
import { parseOptions, USAGE, UsageError } from './soak/options.mjs';
import { Session } from './soak/session.mjs';

const TELL_EVERY = 10; // seconds

const grouped = (number) => number.toLocaleString('en-US');
const listed = (counts) =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${grouped(count)}`)
    .join(', ');

function report({ sums, ended, descriptors, failures, failed }, seconds) {
  const { relays, whole, cut, bytes, kinds } = sums;
  console.log(`${grouped(relays)} relays in ${seconds} s: ${listed(kinds)}`);
  console.log(`how they ended, with those before the count: ${listed(ended)}`);
  console.log(`${grouped(whole)} transfers came whole, ${grouped(cut)} as far as they went: ${grouped(bytes)} bytes`);
  console.log(`descriptors of the proxy afterwards: ${listed(descriptors)}`);
  for (const failure of failures) console.log(`FAILED ${failure}`);
  console.log(`${whole + cut} passed, ${failed} failed`);
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) return console.log(USAGE);
  if (!existsSync('/proc/self/fd')) throw new Error('the soak test needs Linux: it counts in /proc/self/fd');
  console.log(`seed ${options.seed}`);
  let told = 0;
  const began = Date.now();
  const session = new Session(options, ({ relays }) => {
    if (++told % TELL_EVERY === 0) console.log(`${grouped(relays)} relays`);
  });
  await session.run();
  if (session.failed > 0) console.log(`to repeat: npm run soak -- --seed ${options.seed}`);
  report(session, Math.round((Date.now() - began) / 1000));
  process.exitCode = session.failed > 0 ? 1 : 0;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\n\n${USAGE}` : `soak: ${error.message}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
