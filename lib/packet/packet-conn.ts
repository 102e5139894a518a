// What every socket of datagrams offers.

import type { Addr } from '../addr';
import type { CallOptions, ConnState, ShutdownOptions } from '../conn';
import type { Deadline } from '../deadline';
import type { RawConn } from '../raw-conn';

/** A datagram, and who sent it: null where the sender has no name, as an unbound Unix socket. */
export interface Packet<S extends Addr | null = Addr | null> {
  data: Buffer;
  addr: S;
}

/** A datagram to send. Without an address it goes to the peer of a connected socket. */
export interface OutgoingPacket {
  data: Uint8Array | string;
  addr?: Addr | null | undefined;
}

/** A datagram with all that the kernel says about it. */
export interface PacketInfo<S extends Addr | null = Addr | null> {
  addr: S;
  /** Ancillary data as the kernel gives it, a list of `cmsghdr`; at most as much as there was room for. */
  oob: Uint8Array;
  /** How many bytes of it there are. */
  oobn: number;
  /** The flags of recvmsg(2), as numbers of the system's own. */
  flags: number;
  /** The end of the datagram found no room and is lost. */
  truncated: boolean;
}

export interface ReadMessageOptions extends CallOptions {
  /** Room for ancillary data, in bytes. Default 0. */
  oob?: number | undefined;
}

/** The functions that a packet conn calls in handler style; see {@link PacketConn.handle}. One of the first three. */
export interface PacketHandlers<S extends Addr | null = Addr | null> {
  /**
   * A datagram arrived. The chunk is lent: it is valid until this returns, or until the promise it
   * returns settles, and nothing more is delivered meanwhile. Copy what you want to keep.
   */
  message?(chunk: Buffer, addr: S): unknown;
  /** The same for up to 64 datagrams that were there at once, with one call for all of them: the fastest. */
  batch?(packets: Packet<S>[]): unknown;
  /** `message` without the sender, for functions that serve streams too. */
  data?(chunk: Buffer): unknown;
  /**
   * A read failed, or a tryWrite… did, or the read deadline passed (`error.timeout`). After most errors
   * the conn goes on; after one that will not pass (`EBADF`, say) it is closed. After a deadline, reading
   * goes on once a new one is set. Without this function only the closing is noticed.
   */
  error?(error: Error): unknown;
  /** After a tryWrite… that found no room: there is room again. */
  drain?(): unknown;
}

/**
 * A socket of datagrams (Go's net.PacketConn), connected to one peer or open to all.
 *
 * A datagram comes and goes whole. Several calls may wait in each direction; they are served in the
 * order in which they were made. What ends a waiting call: a datagram, an error, the deadline of its
 * direction, its signal, and close(). Rejections that the network, a deadline or close() caused never
 * raise `unhandledRejection`.
 */
export interface PacketConn<S extends Addr | null = Addr | null> extends AsyncDisposable, Disposable {
  /**
   * Resolves to the next datagram, in a chunk of your own of up to 64 KiB, and its sender. An empty
   * datagram is an empty chunk; there is no end of stream.
   * @throws OpError `op: 'read'` (as a rejection)
   */
  readFrom(options?: CallOptions): Promise<Packet<S>>;
  /**
   * Reads the next datagram into p (Go's ReadFrom): resolves to its length, and its sender. What p has no
   * room for is lost without an error; an empty p consumes a datagram all the same.
   */
  readFrom(p: Uint8Array, options?: CallOptions): Promise<{ n: number; addr: S }>;
  /**
   * Sends one datagram, and resolves to its length once the kernel has taken it. p must not change
   * until then.
   * @param addr where to; a text is parsed, and a name in it is looked up each time
   * @throws OpError `op: 'write'` with `bytesWritten` 0 (as a rejection): `EMSGSIZE` for one that is too
   *   long, `ERR_SPLICEWAY_WRITE_TO_CONNECTED` on a connected socket, `ERR_SPLICEWAY_ADDRESS`, …
   */
  writeTo(p: Uint8Array | string, addr: Addr | string | null, options?: CallOptions): Promise<number>;

  /** readFrom() without the sender. */
  read(options?: CallOptions): Promise<Buffer>;
  /** Reads the next datagram into p. An empty p resolves to 0 at once and consumes nothing, as in Go. */
  read(p: Uint8Array, options?: CallOptions): Promise<number>;
  /** Sends one datagram to the peer of a connected socket. `EDESTADDRREQ` where there is none */
  write(p: Uint8Array | string, options?: CallOptions): Promise<number>;
  /** Sends the members of the list as one datagram. `op: 'writev'` */
  writev(list: readonly Uint8Array[], options?: CallOptions): Promise<number>;

  /** readFrom() with ancillary data and flags (Go's ReadMsgUDP and its like). */
  readMsg(options?: ReadMessageOptions): Promise<{ data: Buffer; oob: Buffer } & PacketInfo<S>>;
  /** The same into memory of yours (Go's ReadMsgUDP): a datagram into p, ancillary data into oob. */
  readMsg(p: Uint8Array, oob?: Uint8Array | null, options?: CallOptions): Promise<{ n: number } & PacketInfo<S>>;
  /**
   * Sends one datagram with ancillary data (Go's WriteMsgUDP and its like).
   * @param oob a list of `cmsghdr` as the kernel takes it; null for none
   * @param addr null on a connected UDP socket
   */
  writeMsg(
    p: Uint8Array | string,
    oob?: Uint8Array | null,
    addr?: Addr | string | null,
    options?: CallOptions,
  ): Promise<number>;

  /**
   * Resolves to the datagrams that are there, with one system call for all of them, as soon as there is
   * one. @param max 1 to 64, the default
   */
  readBatch(max?: number, options?: CallOptions): Promise<Packet<S>[]>;
  /**
   * Sends datagrams, up to 64 in a system call, and resolves to how many once the kernel has taken all.
   * UDP datagrams of one length to one address, one after the other in the list, go down in one piece
   * where the kernel can cut them (Linux). An error says in `packetsWritten` how many went before it.
   */
  writeBatch(packets: readonly OutgoingPacket[], options?: CallOptions): Promise<number>;

  /**
   * Handler style, the fastest: the functions are called as things happen. At most once for a socket,
   * with no read waiting; reads reject from then on with `ERR_SPLICEWAY_BUSY`.
   */
  handle(handlers: PacketHandlers<S>): void;
  /**
   * Sends without waiting: whether the kernel took the datagram. False when it has no room, when a write
   * waits, when the write deadline has passed and when the socket is closed. What failed is told to
   * handle()'s error(), or else by the next call. Never throws for the network.
   */
  tryWriteTo(p: Uint8Array | string, addr: Addr): boolean;
  /** The same for a connected socket: how many bytes the kernel took, all or 0. */
  tryWrite(p: Uint8Array | string): number;
  /** The same for many: how many datagrams the kernel took, from the first on. */
  tryWriteBatch(packets: readonly OutgoingPacket[]): number;
  /** readFrom() in a loop, until the socket is closed; `break` closes nothing. */
  packets(): AsyncGenerator<Packet<S>, undefined>;

  /**
   * Releases the socket at once: waiting calls reject with `ERR_SPLICEWAY_CLOSED`. The file of a Unix
   * socket stays, as in Go. True for the call that closed it. Never throws.
   */
  close(): boolean;
  /** Lets waiting writes finish, for the timeout at most (5 s), then close(). New ones reject. */
  shutdown(options?: ShutdownOptions): Promise<void>;

  /** Sets both deadlines; see {@link Conn.setDeadline}. @throws OpError `op: 'set'` when it is closed */
  setDeadline(t: Deadline): void;
  setReadDeadline(t: Deadline): void;
  setWriteDeadline(t: Deadline): void;

  /** This end's address; still there after close. */
  readonly localAddr: Addr;
  /** The peer's address; null for a socket that is open to all. */
  readonly remoteAddr: Addr | null;
  readonly state: ConnState;

  /** Sets SO_RCVBUF. @param bytes 1 to 2^31 - 1; Linux doubles it and has a limit of its own */
  setReadBuffer(bytes: number): void;
  /** Sets SO_SNDBUF, likewise. */
  setWriteBuffer(bytes: number): void;
  /** Asks for a socket option by name, such as `getOption('SOL_SOCKET', 'SO_RCVBUF')`, or by number. @throws OpError `op: 'get'` */
  getOption(level: string | number, name: string | number): number;
  /** The same for an option that is no int: up to `length` bytes of it. */
  getOption(level: string | number, name: string | number, length: number): Buffer;
  /** Sets a socket option: to an int, or to bytes for one that is a struct. @throws OpError `op: 'set'` */
  setOption(level: string | number, name: string | number, value: number | Uint8Array): void;
  /** The descriptor, for system calls that this package has no function for (Go's SyscallConn). */
  syscallConn(): RawConn;
  /** A duplicate of the descriptor, which belongs to you. @throws OpError `op: 'file'` */
  file(): number;
  /** Gives up the descriptor, which belongs to you from now on; the conn is closed. @throws OpError `op: 'detach'` */
  detach(): number;
  /** Calls that wait on this socket keep the process alive (the default). */
  ref(): this;
  /** Calls that wait on this socket no longer keep the process alive. */
  unref(): this;

  /** shutdown() */
  [Symbol.asyncDispose](): Promise<void>;
  /** close() */
  [Symbol.dispose](): void;
}
