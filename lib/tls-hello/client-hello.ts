// The ClientHello that a TLS connection begins with (RFC 8446, 4.1.2), as far as routing needs it.
//
//   record, record, …   type 22, version, length; together they hold
//   handshake message   type 1, length
//   ClientHello         version, random, session, cipher suites, compression, extensions

import { checkBytes } from '../check';
import { Cursor, Malformed } from './cursor';

/** What a client says before anything is encrypted. */
export interface ClientHello {
  /** The host that it asks for (server_name), in lower case; null where it names none. */
  readonly sni: string | null;
  /** The protocols that it offers inside TLS (application_layer_protocol_negotiation), such as `h2`; may be empty. */
  readonly alpn: readonly string[];
  /** The versions of TLS that it offers, in its order, such as `0x0304` for 1.3. */
  readonly versions: readonly number[];
  /** It has an encrypted ClientHello inside (ECH), in which the name may be another, or what looks like one. */
  readonly ech: boolean;
}

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const RECORD_HEAD = 5;
const MESSAGE_HEAD = 4;
const MAX_RECORD = 2 ** 14;

const SERVER_NAME = 0;
const ALPN = 16;
const SUPPORTED_VERSIONS = 43;
const ENCRYPTED_CLIENT_HELLO = 0xfe0d;

/**
 * The ClientHello at the start of the bytes; null where there is something else, or a bad one; undefined
 * while they are only the beginning of one. Never throws for what the bytes are.
 */
export function parseClientHello(bytes: Uint8Array): ClientHello | null | undefined {
  checkBytes('bytes', bytes);
  try {
    const message = messageIn(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    return message === null ? undefined : parseBody(new Cursor(message));
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

/** The body of the handshake message, which may lie in several records; null while there is more of it to come. */
function messageIn(bytes: Buffer): Buffer | null {
  const fragments: Buffer[] = [];
  let have = 0;
  for (let at = 0; at < bytes.length; ) {
    const end = endOfRecord(bytes, at);
    const fragment = bytes.subarray(at + RECORD_HEAD, end);
    fragments.push(fragment);
    have += fragment.length;
    const whole = lengthOfMessage(fragments);
    if (whole !== null && have >= whole) return Buffer.concat(fragments).subarray(MESSAGE_HEAD, whole);
    at = end;
  }
  return null;
}

/** Where the record that begins there ends, which may lie behind what there is. */
function endOfRecord(bytes: Buffer, at: number): number {
  if (bytes[at] !== HANDSHAKE) throw new Malformed();
  if (at + 1 < bytes.length && bytes[at + 1] !== 3) throw new Malformed();
  if (at + RECORD_HEAD > bytes.length) return at + RECORD_HEAD;
  const length = bytes.readUInt16BE(at + 3);
  if (length === 0 || length > MAX_RECORD) throw new Malformed();
  return at + RECORD_HEAD + length;
}

/** With its head; null while that is not there. */
function lengthOfMessage(fragments: readonly Buffer[]): number | null {
  // A fragment has a byte at least, so the head is in the first four.
  const head = Buffer.concat(fragments.slice(0, MESSAGE_HEAD));
  if (head.length > 0 && head[0] !== CLIENT_HELLO) throw new Malformed();
  return head.length < MESSAGE_HEAD ? null : MESSAGE_HEAD + head.readUIntBE(1, 3);
}

function parseBody(body: Cursor): ClientHello {
  const version = body.number(2);
  if (version >> 8 !== 3) throw new Malformed();
  body.take(32); // random
  body.vector(1, 0, 32); // session
  if (body.vector(2, 2).rest().length % 2 !== 0) throw new Malformed(); // cipher suites
  body.vector(1, 1); // compression
  const extensions = parseExtensions(body);
  const read = <T>(type: number, parse: (data: Cursor) => T): T | null => {
    const data = extensions.get(type);
    return data === undefined ? null : wholly(new Cursor(data), parse);
  };
  return {
    sni: read(SERVER_NAME, parseServerName),
    alpn: read(ALPN, parseALPN) ?? [],
    versions: read(SUPPORTED_VERSIONS, parseVersions) ?? [version],
    ech: extensions.has(ENCRYPTED_CLIENT_HELLO),
  };
}

function parseExtensions(body: Cursor): ReadonlyMap<number, Buffer> {
  const extensions = new Map<number, Buffer>();
  if (body.done) return extensions; // before TLS 1.3 there may be none
  const list = wholly(body, (rest) => rest.vector(2));
  while (!list.done) {
    const type = list.number(2);
    if (extensions.has(type)) throw new Malformed();
    extensions.set(type, list.vector(2).rest());
  }
  return extensions;
}

/** Nothing may come after what is parsed. */
function wholly<T>(data: Cursor, parse: (data: Cursor) => T): T {
  const parsed = parse(data);
  if (!data.done) throw new Malformed();
  return parsed;
}

const HOST_NAME = 0;
const NAME = /^[\x21-\x7e]+$/;

// One name of each type, of which only one was ever defined.
function parseServerName(data: Cursor): string | null {
  const names = data.vector(2, 1).list((list) => ({ type: list.number(1), name: list.vector(2, 1).rest() }));
  const hosts = names.filter(({ type }) => type === HOST_NAME).map(({ name }) => name.toString('latin1'));
  if (hosts.length > 1 || !hosts.every((host) => NAME.test(host))) throw new Malformed();
  return hosts[0]?.toLowerCase() ?? null;
}

function parseALPN(data: Cursor): string[] {
  const protocols = data.vector(2, 2).list((list) => list.vector(1, 1).rest());
  return protocols.filter((protocol) => !isGrease(protocol)).map((protocol) => protocol.toString('latin1'));
}

function parseVersions(data: Cursor): number[] {
  const versions = data.vector(1, 2).list((list) => list.take(2));
  return versions.filter((version) => !isGrease(version)).map((version) => version.readUInt16BE());
}

/** Values that mean nothing, which clients send so that servers go on ignoring such (RFC 8701). */
function isGrease(value: Buffer): boolean {
  return value.length === 2 && value[0] === value[1] && ((value[0] as number) & 15) === 10;
}
