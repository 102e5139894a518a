// What lies over a connection, frames for example, and has more to write than the connection knows of.

import type { ShutdownOptions } from './conn';

export interface Layer {
  shutdown(options?: ShutdownOptions): Promise<void>;
}

// Weakly: neither keeps the other from being collected.
const layers = new WeakMap<Layer, Layer>();

/** From now on the connection is shut down through the layer. */
export function layOver(conn: Layer, layer: Layer): void {
  layers.set(conn, layer);
}

/** What to shut down where nobody else does. */
export function topOf(conn: Layer): Layer {
  return layers.get(conn) ?? conn;
}
