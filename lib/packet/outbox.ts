// Datagrams laid side by side for one system call: their payloads in memory of ours, the rest in slots.

import type { Addr } from '../addr';
import { LENGTH, native, OFFSET, SLOT, SLOTS, slots } from '../binding';
import { put, putNone } from './slots';

const ROOM = 1 << 20;

export class Outbox {
  /** How many there are. */
  count = 0;
  // Lazily: most programs never send a batch.
  private bytes: Buffer | null = null;
  private used = 0;
  private readonly lengths: number[] = [];
  private readonly starts: number[] = [];
  private readonly to: (Addr | null)[] = [];

  /** False when there is no room. */
  add(payload: Uint8Array, to: Addr | null): boolean {
    const { count, used } = this;
    if (count === SLOTS || used + payload.length > ROOM) return false;
    this.bytes ??= Buffer.from(new ArrayBuffer(ROOM));
    this.bytes.set(payload, used);
    this.starts[count] = used;
    this.lengths[count] = payload.length;
    this.to[count] = to;
    this.used = used + payload.length;
    this.count++;
    return true;
  }

  clear(): void {
    this.count = 0;
    this.used = 0;
  }

  /** One system call with those from `first` on: how many the kernel took, or a negative status. */
  send(id: number, family: number, first: number, resumed: boolean): number {
    for (let i = first; i < this.count; i++) {
      const slot = (i - first) * SLOT;
      const to = this.to[i] as Addr | null;
      slots[slot + OFFSET] = this.starts[i] as number;
      slots[slot + LENGTH] = this.lengths[i] as number;
      if (to === null) putNone(slot);
      else put(to, family, slot);
    }
    return native.sendBatch(id, resumed, this.bytes as Buffer, this.count - first);
  }

  /** A datagram in memory of its own, and where it goes. */
  take(index: number): { bytes: Uint8Array; to: Addr | null } {
    const start = this.starts[index] as number;
    const bytes = Uint8Array.prototype.slice.call(this.bytes, start, start + (this.lengths[index] as number));
    return { bytes, to: this.to[index] as Addr | null };
  }

  addressAt(index: number): Addr | null {
    return this.to[index] as Addr | null;
  }
}
