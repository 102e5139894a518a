// Arguments that commands share.

import { Argument } from 'commander';
import type { Target } from './address';

// The addon is loaded by the commands that need it, so that `doctor` and `build` run without one. Parsing an
// address needs it, and is not awaited.
export const addresses = () => require('./address') as typeof import('./address');

export const listenArgument = (): Argument =>
  new Argument('<listen>', 'host:port, :port or unix:/path').argParser((text) => addresses().parseEndpoint(text));

export const targetsArgument = (): Argument =>
  new Argument('[target...]', 'host:port or unix:/path; ,weight=N behind it gives it N shares, 1 to 100').argParser<
    Target[]
  >((text, before) => addresses().collectTargets(text, before));
