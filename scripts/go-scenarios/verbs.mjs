// Every verb by its name: (world, step, the endpoint that `on` names, task) => result.

import * as addresses from './addresses.mjs';
import * as concurrency from './concurrency.mjs';
import * as creating from './creating.mjs';
import * as files from './files.mjs';
import * as options from './options.mjs';
import * as packets from './packets.mjs';
import * as scanning from './scanning.mjs';
import * as streams from './streams.mjs';

export const verbs = {
  ...addresses.verbs,
  ...concurrency.verbs,
  ...creating.verbs,
  ...files.verbs,
  ...options.verbs,
  ...packets.verbs,
  ...scanning.verbs,
  ...streams.verbs,
};
