// Placeholder until the descriptors branch is merged.
import { native } from './binding';

export interface RawConn {
  control(fn: (fd: number) => void): void;
}

export function rawConnOn(id: number, _network: string): RawConn {
  return { control: (fn) => fn(native.descriptor(id)) };
}
