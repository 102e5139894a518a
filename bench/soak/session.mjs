// One run of the soak test: the proxy and its traffic, what came through, and what is left open.

import { availableParallelism } from 'node:os';
import { Child } from './child.mjs';
import { differences } from './descriptors.mjs';

const AT_ONCE = 200;
// Before the descriptors are counted for the first time: some of everything; then so many relays that are stuck
// at the same time that each thread of the proxy keeps the 16 pipes that it will ever keep. In this order, since
// the pipe of a relay that was cut is not kept.
const BEFORE = [
  { what: 'mixed', from: 1e9, count: 500, seconds: 120 },
  { what: 'stuck', from: 2e9, count: Math.max(64, 16 * availableParallelism()), seconds: 120 },
];

export class Session {
  failures = [];
  failed = 0;
  /** Of the traffic that counts. */
  sums = { relays: 0, whole: 0, cut: 0, wrong: 0, bytes: 0, kinds: {}, failures: [] };
  /** By reason. */
  ended = {};
  /** Once they are known to be all back: how many of each kind. */
  descriptors = {};

  /** @param onProgress called with the sums, each second */
  constructor({ transfers, minutes, seed }, onProgress) {
    Object.assign(this, { transfers, minutes, onProgress });
    this.traffic = new Child('traffic', seed);
  }

  async run() {
    try {
      await this.#run();
    } catch (error) {
      this.#fail(error.message);
    } finally {
      this.traffic.stop();
      this.proxy?.stop();
    }
  }

  async #run() {
    const port = await this.traffic.next('port');
    this.proxy = new Child('proxy', port);
    this.proxy.on('failure', (text) => this.#fail(`in the proxy: ${text}`));
    this.traffic.on('cut', (cut) => this.proxy.tell({ cut }));
    const proxies = await this.proxy.next('proxies');
    for (const part of BEFORE) this.#judge(await this.#send({ ...part, proxies, atOnce: part.count }));
    const before = await this.proxy.ask({ settle: true }, 'settled');
    await this.#soak(proxies);
    this.#compare(before, await this.proxy.ask({ settle: true }, 'settled'));
  }

  async #soak(proxies) {
    const note = (sums) => {
      this.sums = sums;
    };
    this.traffic.on('progress', (sums) => {
      note(sums);
      this.onProgress(sums);
    });
    const [count, seconds] = [Math.ceil(this.transfers / 2), this.minutes * 60];
    note(await this.#send({ what: 'mixed', from: 0, count, seconds, proxies, atOnce: AT_ONCE }));
    this.#judge(this.sums);
  }

  /** The sums of some traffic, or the news that the proxy is gone. */
  #send(order) {
    return Promise.race([this.traffic.ask(order, 'done'), this.proxy.failure]);
  }

  #judge({ wrong, failures }) {
    this.failed += wrong;
    this.failures.push(...failures);
  }

  #compare(before, { descriptors, relays, ended }) {
    this.ended = ended;
    this.descriptors = descriptors;
    if (relays > 0) this.#fail(`${relays} relays have not ended`);
    const changed = differences(before.descriptors, descriptors);
    if (changed.length > 0) this.#fail(`descriptors of the proxy: ${changed.join('; ')}`);
  }

  #fail(text) {
    this.failed++;
    this.failures.push(text);
  }
}
