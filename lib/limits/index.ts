// The public surface of `spliceway/limits`.

export { limitListener } from './limit-listener';
