// Memory that threads pass to each other without a copy: pieces of one size, each with a count of those who
// hold it. Everything that changes is a word that threads change atomically.

import { checkBytes, checkInteger, checkObject } from '../check';
import { sliceOf } from '../chunk';
import { invalidType, outOfRange } from '../errors';

export interface SharedPoolOptions {
  /** Bytes of a piece, 1 to 1 GiB. Default 64 KiB. */
  size?: number | undefined;
  /** How many pieces there are, 1 to 65536; all of them together have 4 GiB at most. Default 64. */
  count?: number | undefined;
}

/** Of all threads together. */
export interface SharedPoolCounters {
  /** Pieces that were used at all: memory of the others is none of the process's yet. */
  made: number;
  /** How often one was used again. */
  reused: number;
  /** How often there was none. */
  refused: number;
  /** Pieces that somebody holds. */
  inUse: number;
  /** Pieces that nobody holds. */
  idle: number;
  /** Bytes of the pieces that were used at all. */
  bytes: number;
}

/** What passes from thread to thread; SharedPool.receive() makes bytes of it again, once. */
export interface SharedMessage {
  readonly words: SharedArrayBuffer;
  readonly memory: SharedArrayBuffer;
  readonly size: number;
  readonly piece: number;
  readonly length: number;
}

const DEFAULT_SIZE = 64 * 1024;
const DEFAULT_COUNT = 64;
const LARGEST = 2 ** 30;
const MOST = 65_536;
const MOST_BYTES = 2 ** 32;

// The words: these, and one for each piece, how many hold it and whether it was ever used.
const MADE = 0;
const REUSED = 1;
const REFUSED = 2;
const FIRST_PIECE = 3;
const USED = 2 ** 30;

const NOTHING = Buffer.allocUnsafeSlow(0);

/**
 * Pieces of memory that any thread may take, hold and release. One that is full answers with null: that is
 * its bound.
 */
export class SharedPool {
  readonly size: number;
  private readonly words: Int32Array;
  private readonly memory: SharedArrayBuffer;

  constructor(options: SharedPoolOptions = {}) {
    checkObject('options', options);
    const { size = DEFAULT_SIZE, count = DEFAULT_COUNT } = options;
    checkInteger('options.size', size, 1, LARGEST);
    checkInteger('options.count', count, 1, MOST);
    if (size * count > MOST_BYTES) throw outOfRange('options.count', `<= ${Math.floor(MOST_BYTES / size)}`, count);
    this.size = size;
    this.words = new Int32Array(new SharedArrayBuffer(4 * (FIRST_PIECE + count)));
    this.memory = new SharedArrayBuffer(size * count);
  }

  /** A piece that nobody holds, whatever it has in it; null where there is none. @param length bytes of it */
  take(length = this.size): SharedBytes | null {
    checkInteger('length', length, 0, this.size);
    for (let word = FIRST_PIECE; word < this.words.length; word++) {
      const before = Atomics.load(this.words, word) & USED;
      if (Atomics.compareExchange(this.words, word, before, USED | 1) !== before) continue;
      Atomics.add(this.words, before === 0 ? MADE : REUSED, 1);
      return this.bytesOf(word - FIRST_PIECE, length);
    }
    Atomics.add(this.words, REFUSED, 1);
    return null;
  }

  /** The same with a copy of the bytes in it. @throws with the code `ERR_OUT_OF_RANGE` where they are too many */
  copy(bytes: Uint8Array): SharedBytes | null {
    checkBytes('bytes', bytes);
    if (bytes.length > this.size) throw outOfRange('bytes.length', `<= ${this.size}`, bytes.length);
    const shared = this.take(bytes.length);
    shared?.bytes.set(bytes);
    return shared;
  }

  counters(): SharedPoolCounters {
    const { words, size } = this;
    const made = Atomics.load(words, MADE);
    let inUse = 0;
    for (let word = FIRST_PIECE; word < words.length; word++) if ((Atomics.load(words, word) & ~USED) > 0) inUse++;
    const idle = words.length - FIRST_PIECE - inUse;
    return {
      made,
      reused: Atomics.load(words, REUSED),
      refused: Atomics.load(words, REFUSED),
      inUse,
      idle,
      bytes: made * size,
    };
  }

  private bytesOf(piece: number, length: number): SharedBytes {
    const { words, memory, size } = this;
    return new SharedBytes({ words: words.buffer as SharedArrayBuffer, memory, size, piece, length });
  }

  /** The bytes that another thread has handed over: it is for this one to release them. */
  static receive(message: SharedMessage): SharedBytes {
    checkObject('message', message);
    if (!(message.words instanceof SharedArrayBuffer && message.memory instanceof SharedArrayBuffer)) {
      throw invalidType('message', 'what handOver() answered', message);
    }
    const { words, memory, size, piece, length } = message;
    checkInteger('message.size', size, 1, memory.byteLength);
    checkInteger('message.piece', piece, 0, Math.min(words.byteLength / 4 - FIRST_PIECE, memory.byteLength / size) - 1);
    checkInteger('message.length', length, 0, size);
    return new SharedBytes(message);
  }
}

/** Bytes in a piece of a SharedPool, held until they are released. */
export class SharedBytes {
  private readonly words: Int32Array;
  private view: Buffer;
  // How many of those who hold the piece are behind this object.
  private holds = 1;

  /** @internal */
  constructor(private readonly message: SharedMessage) {
    const { words, memory, size, piece, length } = message;
    this.words = new Int32Array(words);
    this.view = sliceOf(new Uint8Array(memory), size * piece, length);
  }

  /** The bytes; none, once all holds were released. */
  get bytes(): Buffer {
    return this.view;
  }

  /** Holds them once more. @throws with the code `ERR_INVALID_STATE` once all was released */
  retain(): this {
    this.mustHold();
    this.holds++;
    Atomics.add(this.words, this.word, 1);
    return this;
  }

  /** Gives up a hold. With the last one of all threads the piece is free again. */
  release(): void {
    this.giveUp();
    Atomics.sub(this.words, this.word, 1);
  }

  /**
   * Gives up a hold to another thread: what this answers is to be posted there, and is given to
   * SharedPool.receive(), once.
   */
  handOver(): SharedMessage {
    this.giveUp();
    return this.message;
  }

  private get word(): number {
    return FIRST_PIECE + this.message.piece;
  }

  private giveUp(): void {
    this.mustHold();
    this.holds--;
    if (this.holds === 0) this.view = NOTHING;
  }

  private mustHold(): void {
    if (this.holds > 0) return;
    throw Object.assign(new Error('The bytes were released already'), { code: 'ERR_INVALID_STATE' });
  }
}
