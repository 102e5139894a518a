// A process of the soak test. It sends messages of one key each, such as { done: … }.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export class Child {
  #child;
  #listeners = new Map();
  #failed;
  /** Rejects when it ends by itself. */
  failure = new Promise((_, reject) => {
    this.#failed = reject;
  });

  constructor(name, ...args) {
    this.#child = fork(fileURLToPath(new URL(`${name}.mjs`, import.meta.url)), args.map(String), {
      serialization: 'advanced',
    });
    this.#child.on('message', (message) => {
      const [key] = Object.keys(message);
      this.#listeners.get(key)?.(message[key]);
    });
    this.#child.on('exit', (code, signal) => this.#failed(new Error(`the ${name} ended with ${signal ?? code}`)));
    this.failure.catch(() => {});
  }

  on(key, listener) {
    this.#listeners.set(key, listener);
  }

  tell(message) {
    this.#child.send(message);
  }

  /** The value of the next message of that key. */
  next(key) {
    const answer = new Promise((resolve) => this.on(key, resolve));
    return Promise.race([answer, this.failure]);
  }

  ask(message, key) {
    const answer = this.next(key);
    this.tell(message);
    return answer;
  }

  stop() {
    this.#child.removeAllListeners('exit').kill('SIGKILL');
  }
}
