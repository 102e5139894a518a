// The public types, as a caller sees them.

import { type Conn, dial, type Listener, listen, type OpError, type TCPConn, type UnixConn } from 'spliceway';
import { expectTypeOf, test } from 'vitest';

test('dial and listen know their network', () => {
  expectTypeOf(dial('tcp', '')).resolves.toEqualTypeOf<TCPConn>();
  expectTypeOf(dial('unix', '')).resolves.toEqualTypeOf<UnixConn>();
  expectTypeOf(listen('tcp', '')).resolves.toExtend<Listener<TCPConn>>();
});

test("read() answers a chunk of its own, or a count for the caller's buffer", () => {
  const conn = {} as Conn;
  expectTypeOf(conn.read()).resolves.toEqualTypeOf<Buffer | null>();
  expectTypeOf(conn.read(Buffer.alloc(1))).resolves.toEqualTypeOf<number | null>();
  expectTypeOf(conn.close()).toEqualTypeOf<boolean>();
});

test('an error of an operation says which, where and why', () => {
  const error = {} as OpError;
  expectTypeOf(error.timeout).toEqualTypeOf<boolean>();
  expectTypeOf(error.bytesWritten).toEqualTypeOf<number | undefined>();
  expectTypeOf(error.cause).toEqualTypeOf<Error>();
});
