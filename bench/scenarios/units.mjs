// What scenarios that move bytes have in common: what they measure, and how it is written.

const GIB = 2 ** 30;

/** `scale` is from nanoseconds for each byte. */
export const CPU_SECONDS_PER_GIB = {
  unit: 'CPU seconds per GiB',
  inverse: 'bytes per CPU second',
  things: 'GiB',
  perThing: 1 / GIB,
  scale: GIB / 1e9,
};
