// Runs the file that it is given in a worker. This thread loads no addon: the worker is the first.

import { Worker } from 'node:worker_threads';

new Worker(new URL(process.argv[2], import.meta.url));
