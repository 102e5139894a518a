// Between two events of different sockets Node runs what process.nextTick() and promises have waiting. A
// turn of our reactor hands over its events in one call, so the same is done by hand.

type TickCallback = () => void;

/** What Node's own timers call between one and the next. */
export const runTicks: TickCallback =
  (process as unknown as { _tickCallback?: TickCallback })._tickCallback?.bind(process) ?? (() => {});
