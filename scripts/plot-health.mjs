// Makes docs/health.svg: a real connection with a heartbeat, behind a ChaosProxy, for a minute.

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { plot } from './health-plot/plot.mjs';
import { run } from './health-plot/run.mjs';

const out = fileURLToPath(new URL('../docs/health.svg', import.meta.url));
const result = await run((phase) => console.error(phase));
for (const { at, from, to, healing, reason } of result.transitions) {
  console.log(`${at.toFixed(2)} s  ${from} -> ${to}${healing ? ', healing' : ''}: ${reason}`);
}
writeFileSync(out, `${await plot(result)}\n`);
