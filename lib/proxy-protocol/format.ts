// From addresses to a header, and sending it ahead of a connection's bytes.

import type { Addr } from '../addr';
import { checkMethods, checkObject } from '../check';
import type { CallOptions, Conn } from '../conn';
import { invalidType, invalidValue } from '../errors';
import type { ProxyTLVInit } from './tlv';
import { formatV1 } from './v1';
import { formatV2 } from './v2';

export interface ProxyFormat {
  /** Default 2. */
  version?: 1 | 2 | undefined;
  /** Fields to send along, with version 2. `{ type: proxyTLVTypes.CRC32C }` asks for a checksum. */
  tlvs?: readonly ProxyTLVInit[] | undefined;
}

/** A header to be sent. */
export interface ProxyHeaderInit extends ProxyFormat {
  /** `PROXY`, the default: on behalf of a client. `LOCAL`: on the sender's own. */
  command?: 'PROXY' | 'LOCAL' | undefined;
  /** The client. Default null: unknown. */
  source?: Addr | null | undefined;
  /** Where the client had connected to. Default null: unknown. */
  destination?: Addr | null | undefined;
}

/**
 * The bytes of a PROXY header. Addresses that the version has no words for, or that do not go together,
 * are sent as unknown: UNKNOWN of version 1, which has TCP alone, UNSPEC of version 2. IPv4 beside IPv6
 * goes as a mapped address. In version 1 LOCAL is UNKNOWN.
 * @throws TypeError or RangeError for what does not fit; AddrError for an `ip` that is none
 */
export function formatProxyHeader(header: ProxyHeaderInit): Buffer {
  checkObject('header', header);
  const { version = 2, command = 'PROXY', source = null, destination = null, tlvs = [] } = header;
  if (version !== 1 && version !== 2) throw invalidValue('header.version', 'must be 1 or 2', version);
  if (command !== 'PROXY' && command !== 'LOCAL') {
    throw invalidValue('header.command', "must be 'PROXY' or 'LOCAL'", command);
  }
  if (source !== null) checkObject('header.source', source);
  if (destination !== null) checkObject('header.destination', destination);
  if (!Array.isArray(tlvs)) throw invalidType('header.tlvs', 'an array', tlvs);
  if (version === 2) return formatV2(command, source, destination, tlvs);
  if (tlvs.length > 0) throw invalidValue('header.tlvs', 'must be empty with version 1', tlvs);
  return command === 'LOCAL' ? formatV1(null, null) : formatV1(source, destination);
}

/**
 * Tells the other end of `conn` who is behind it: the client's `remoteAddr`, and its `localAddr` as
 * what it had connected to. Call it before anything else is written to `conn`. Resolves to the number
 * of bytes.
 * @param client the connection that is forwarded
 * @throws as formatProxyHeader() and Conn.write() (as a rejection)
 */
export async function writeProxyHeader(
  conn: Conn,
  client: Pick<Conn, 'localAddr' | 'remoteAddr'>,
  format: ProxyFormat = {},
  options?: CallOptions,
): Promise<number> {
  checkMethods('conn', conn, 'write');
  checkObject('client', client);
  checkObject('format', format);
  const { version, tlvs } = format;
  const { remoteAddr: source, localAddr: destination } = client;
  return conn.write(formatProxyHeader({ version, tlvs, source, destination }), options);
}
