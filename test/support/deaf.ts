// A peer whose kernel no longer answers, as if the cable had been cut.

import type { TCPConn } from 'spliceway';
import { pythonSync } from './python.ts';

// Linux: a socket filter of one instruction, BPF_RET, which keeps 0 bytes of each packet.
const ATTACH = `
import ctypes
drop = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0))
program = struct.pack('HxxxxxxQ', 1, ctypes.addressof(drop))
socket.socket(fileno=3).setsockopt(socket.SOL_SOCKET, 26, program)
`;
const DETACH = 'socket.socket(fileno=3).setsockopt(socket.SOL_SOCKET, 27, 0)';

/** Whatever arrives is dropped, unacknowledged. */
export function deafen(conn: TCPConn): void {
  withDescriptor(conn, ATTACH);
}

export function hearAgain(conn: TCPConn): void {
  withDescriptor(conn, DETACH);
}

function withDescriptor(conn: TCPConn, source: string): void {
  conn.syscallConn().control((fd) => pythonSync(source, [fd]));
}
