// The hook that a socket passes through between socket(2) and bind(2) (Go's Control of Dialer and
// ListenConfig).

import type { Addr, NativeAddr } from './addr';
import { UNIX } from './binding';
import { invalidValue } from './errors';
import { type RawConn, rawConnOf } from './raw-conn';

/**
 * Sets what has no option of its own, on the raw descriptor. What it throws fails the attempt, as the
 * cause of its OpError.
 * @param network the concrete one: `tcp` has become `tcp4` or `tcp6`
 * @param address numeric: where the socket is about to connect or listen
 * @param conn its descriptor; valid until the hook returns
 */
export type Control = (network: string, address: string, conn: RawConn) => void;

/** Calls the hook for a native socket of the given family; throws what it throws. */
export function runControl(
  control: Control | undefined,
  network: string,
  family: NativeAddr[0],
  addr: Addr | null,
  id: number,
): void {
  if (control === undefined) return;
  const answer: unknown = control(concrete(network, family), `${addr ?? ''}`, rawConnOf(id, network));
  // The socket is bound and connected as soon as the hook has returned.
  if (answer instanceof Promise) throw invalidValue('options.control', 'must not return a promise', control);
}

function concrete(network: string, family: NativeAddr[0]): string {
  return family === UNIX || /[46]$/.test(network) ? network : `${network}${family}`;
}
