// The health of one connection, whoever judges it: a heartbeat on an I/O thread, or a look at the kernel's figures.

import type { NativeTransition } from '../binding';
import { checkFunction } from '../check';
import { rethrowLater } from '../dispatch';
import {
  FIGURE_WORDS,
  figuresIn,
  type HealthFigures,
  type HealthState,
  type HealthTransition,
  transitionOf,
} from './figures';
import { checkInterval } from './options';

export type HealthListener = (transition: HealthTransition) => void;

/** Where a Health has what it tells from: native code. */
export interface HealthSource {
  /** Writes the figures, as they are now, or were last. */
  figures(words: Float64Array): void;
  setInterval(milliseconds: number): void;
}

/** How well a connection is. Made by {@link watch}, and by a heartbeat. */
export class Health {
  private readonly listeners = new Set<HealthListener>();

  /** @internal */
  constructor(private readonly source: HealthSource) {}

  get state(): HealthState {
    return this.figures.state;
  }

  /** Whether it is time for another connection: degraded, lost, or a score below `healingBelow`. */
  get healing(): boolean {
    return this.figures.healing;
  }

  /** 0 (bad) to 1. */
  get score(): number {
    return this.figures.score;
  }

  /** All that is known, as of now; of a connection that is closed, as of then. A new object each time. */
  get figures(): HealthFigures {
    const words = new Float64Array(FIGURE_WORDS);
    this.source.figures(words);
    return figuresIn(words);
  }

  /**
   * Has a function called with each change of the state and of `healing`, in order. What it throws is thrown
   * again as an uncaught exception.
   * @returns ends that
   */
  onTransition(listener: HealthListener): () => void {
    checkFunction('listener', listener);
    // Of its own: the same function may be given twice.
    const own: HealthListener = (transition) => listener(transition);
    this.listeners.add(own);
    return () => void this.listeners.delete(own);
  }

  /** From now on. @param milliseconds 10 to 3600000 */
  setInterval(milliseconds: number): void {
    checkInterval(milliseconds);
    this.source.setInterval(milliseconds);
  }

  /** @internal What native code tells. */
  tell(transitions: readonly NativeTransition[] | undefined): void {
    for (const each of transitions ?? []) {
      const transition = transitionOf(each);
      for (const listener of [...this.listeners]) {
        try {
          listener(transition);
        } catch (error) {
          rethrowLater(error);
        }
      }
    }
  }
}
