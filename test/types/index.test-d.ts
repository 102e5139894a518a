// The public types, as a caller sees them.

import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type Timestamp, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { ByteBuffer } from 'flatbuffers';
import {
  type Addr,
  type ClientHello,
  type Conn,
  dial,
  type IPConn,
  type Listener,
  listen,
  listenPacket,
  type OpError,
  type Packet,
  type PacketConn,
  type ProxyEvent,
  type ProxyHeader,
  type ProxyListener,
  peekClientHello,
  proxyListener,
  type SocketListener,
  type TCPConn,
  Proxy as TcpProxy,
  type UDPAddr,
  type UDPConn,
  type UnixAddr,
  type UnixConn,
  type UnixgramConn,
} from 'spliceway';
import { type FlatBuffersBuilder, flatBuffers, json, lines, MessageConn, protobufEs } from 'spliceway/codec';
import { expectTypeOf, test } from 'vitest';
import { PersonTable } from '../codec/messages.ts';

test('dial and listen know their network', () => {
  expectTypeOf(dial('tcp', '')).resolves.toEqualTypeOf<TCPConn>();
  expectTypeOf(dial('unix', '')).resolves.toEqualTypeOf<UnixConn>();
  expectTypeOf(listen('tcp', '')).resolves.toExtend<Listener<TCPConn>>();
});

test('a listener that reads PROXY headers gives the same connections', () => {
  const proxyProtocol = { trusted: [] };
  expectTypeOf(listen('tcp', '', { proxyProtocol })).resolves.toEqualTypeOf<
    ProxyListener<TCPConn, SocketListener<TCPConn>>
  >();
  expectTypeOf(listen('unix', '', { proxyProtocol })).resolves.toExtend<Listener<UnixConn>>();
  const limited = {} as Listener<TCPConn>;
  expectTypeOf(proxyListener(limited, proxyProtocol)).toEqualTypeOf<ProxyListener<TCPConn, Listener<TCPConn>>>();
  const conn = {} as TCPConn;
  expectTypeOf(conn.peerAddr).toEqualTypeOf<Addr>();
  expectTypeOf(conn.proxyHeader).toEqualTypeOf<ProxyHeader | null>();
  expectTypeOf(peekClientHello(conn)).resolves.toEqualTypeOf<ClientHello | null>();
});

test("read() answers a chunk of its own, or a count for the caller's buffer", () => {
  const conn = {} as Conn;
  expectTypeOf(conn.read()).resolves.toEqualTypeOf<Buffer | null>();
  expectTypeOf(conn.read(Buffer.alloc(1))).resolves.toEqualTypeOf<number | null>();
  expectTypeOf(conn.close()).toEqualTypeOf<boolean>();
});

test('packet conns know what comes from them', () => {
  expectTypeOf(listenPacket('udp', '')).resolves.toEqualTypeOf<UDPConn>();
  expectTypeOf(listenPacket('unixgram', '')).resolves.toEqualTypeOf<UnixgramConn>();
  expectTypeOf(listenPacket('ip4:icmp', '')).resolves.toEqualTypeOf<IPConn>();
  const conn = {} as UDPConn;
  expectTypeOf(conn.readFrom()).resolves.toEqualTypeOf<Packet<UDPAddr>>();
  expectTypeOf(conn.readFrom(Buffer.alloc(1))).resolves.toEqualTypeOf<{ n: number; addr: UDPAddr }>();
  expectTypeOf(conn.remoteAddr).toEqualTypeOf<UDPAddr | null>();
  expectTypeOf({} as UnixgramConn).toExtend<PacketConn<UnixAddr | null>>();
});

test('a packet conn that is connected is a Conn', () => {
  expectTypeOf(dial('udp', '')).resolves.toExtend<Conn>();
  expectTypeOf(dial('unixgram', '')).resolves.toExtend<Conn>();
  expectTypeOf(dial('ip4:icmp', '')).resolves.toExtend<Conn>();
});

test('an error of an operation says which, where and why', () => {
  const error = {} as OpError;
  expectTypeOf(error.timeout).toEqualTypeOf<boolean>();
  expectTypeOf(error.bytesWritten).toEqualTypeOf<number | undefined>();
  expectTypeOf(error.cause).toEqualTypeOf<Error>();
});

test("a proxy's events are told apart by their type", () => {
  expectTypeOf(TcpProxy.listen('tcp', '', { targets: '' })).resolves.toEqualTypeOf<TcpProxy>();
  const event = {} as ProxyEvent;
  if (event.type === 'end') expectTypeOf(event.error).toEqualTypeOf<OpError | null>();
  if (event.type === 'targetUp') expectTypeOf(event).not.toHaveProperty('source');
});

test('a MessageConn gives and takes what its serialiser does', () => {
  const conn = {} as Conn;
  expectTypeOf(new MessageConn(conn, lines())).toEqualTypeOf<MessageConn<Buffer, Uint8Array | string>>();
  const plain = new MessageConn(conn, lines(), { maxFrame: 10 });
  expectTypeOf(plain.receive()).resolves.toEqualTypeOf<Buffer | null>();
  const numbers = new MessageConn(conn, lines(), { serialiser: json<number>() });
  expectTypeOf(numbers).toEqualTypeOf<MessageConn<number, number>>();
  const times = new MessageConn(conn, lines(), { serialiser: protobufEs({ fromBinary, toBinary }, TimestampSchema) });
  expectTypeOf(times).toEqualTypeOf<MessageConn<Timestamp, Timestamp>>();
  const tables = new MessageConn(conn, lines(), { serialiser: flatBuffers(ByteBuffer, PersonTable.getRootAsPerson) });
  expectTypeOf(tables).toEqualTypeOf<MessageConn<PersonTable, FlatBuffersBuilder>>();
});
