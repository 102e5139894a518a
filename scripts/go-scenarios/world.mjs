// What one run of a scenario owns: its names, its folder, its token.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail } from './results.mjs';
import { settles } from './timing.mjs';
import { verbs } from './verbs.mjs';

let runs = 0;

export class World {
  /** The token that makes abstract names unique. */
  token = `u${process.pid}-${++runs}`;
  folder = mkdtempSync(join(tmpdir(), 'gs'));
  files = new Map();
  scanners = new Map();
  tasks = new Map();
  contexts = new Map();
  /** The first name whose local port it was, by port. */
  ports = new Map();
  /** When the last step began that set a deadline. */
  mark = null;
  /** Tasks that have ended. */
  finished = 0;
  #endpoints = new Map();
  #discarded = [];

  constructor({ hosts = {} }, payloads) {
    this.hosts = hosts;
    this.payloads = payloads;
  }

  /** The endpoint of that name, if there is one. */
  get(name = '') {
    return this.#endpoints.get(name);
  }

  put(name = '', endpoint) {
    this.#endpoints.set(name, endpoint);
    this.keep(endpoint);
    const port = endpoint.localAddr?.port ?? 0;
    if (port !== 0 && !this.ports.get(port)) this.ports.set(port, name);
    return endpoint;
  }

  /** Has something discarded in the end. */
  keep(thing) {
    this.#discarded.push(thing);
  }

  localAddr(name) {
    const endpoint = this.get(name);
    if (endpoint === undefined) throw new Error(`no endpoint ${name}`);
    return endpoint.localAddr;
  }

  /** Fills in the templates of an address or a path. */
  expand(text = '') {
    return text.replace(/\{(T|U|port:\w+|addr:\w+)\}/g, (_, key) => {
      if (key === 'T') return this.folder;
      if (key === 'U') return this.token;
      const [what, name] = key.split(':');
      return `${what === 'port' ? this.localAddr(name).port : this.localAddr(name)}`;
    });
  }

  /** Runs a step to its result. The call that it makes is made before this returns. */
  async exec(step, task = null) {
    if (!Object.hasOwn(verbs, step.do)) return { bad: `unknown step ${step.do}` };
    try {
      return await verbs[step.do](this, step, this.get(step.on), task);
    } catch (error) {
      return fail(error);
    }
  }

  async discard() {
    for (const { cancel } of this.contexts.values()) cancel();
    for (const thing of this.#discarded) thing.discard();
    for (const file of this.files.values()) await file.discard();
    await settles(Promise.all([...this.tasks.values()].map(({ done }) => done)), 2000);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
