// Asking the caller's hooks about a connection. One that throws, rejects or takes too long says no.

import { MAX_TIMER } from '../deadline';
import type { Config, Poolable } from './options';
import type { DiscardReason } from './stats';

/** Why a connection has to go; null where it may stay. */
export type Verdict = DiscardReason | null;

type Asked = 'validate' | 'reset' | 'validateOnReturn' | 'checkTimeout';

export class Hooks<T extends Poolable> {
  /** Whether there is anything to ask when a connection is returned. */
  readonly onReturn: boolean;
  private readonly validates: boolean;

  constructor(private readonly config: Pick<Config<T, unknown>, Asked>) {
    this.validates = config.validate !== undefined && config.validateOnReturn;
    this.onReturn = this.validates || config.reset !== undefined;
  }

  /** At once, unless a hook takes its time. */
  returned(conn: T): Verdict | Promise<Verdict> {
    const verdict = this.validates ? this.validate(conn) : null;
    if (verdict === null) return this.reset(conn);
    return typeof verdict === 'string' ? verdict : verdict.then((reason) => reason ?? this.reset(conn));
  }

  validate(conn: T): Verdict | Promise<Verdict> {
    const { config } = this;
    return this.ask('invalid', () => config.validate?.(conn) ?? true);
  }

  private reset(conn: T): Verdict | Promise<Verdict> {
    const { config } = this;
    if (config.reset === undefined) return null;
    return this.ask('reset', () => {
      const answer = config.reset?.(conn);
      return isPromise(answer) ? answer.then(() => true) : true;
    });
  }

  private ask(no: DiscardReason, hook: () => unknown): Verdict | Promise<Verdict> {
    const said = (answer: unknown) => (answer ? null : no);
    try {
      const answer = hook();
      if (!isPromise(answer)) return said(answer);
      return within(this.config.checkTimeout, answer).then(said, () => no);
    } catch {
      return no;
    }
  }
}

function isPromise(answer: unknown): answer is PromiseLike<unknown> {
  return typeof (answer as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

/** The promise's outcome; false after so many milliseconds. */
async function within(timeout: number, answer: PromiseLike<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    if (timeout <= MAX_TIMER) timer = setTimeout(() => resolve(false), Math.ceil(timeout));
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
