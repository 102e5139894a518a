// What a PROXY header says (HAProxy's proxy-protocol.txt), and what can be wrong with one.

import type { SocketAddr } from '../addr';

/** A type-length-value field of a header of version 2. */
export interface ProxyTLV {
  /** 0 to 255; see {@link proxyTLVTypes}. */
  readonly type: number;
  readonly value: Buffer;
}

/** What a balancer that ended TLS tells of it (PP2_TYPE_SSL). */
export interface ProxySSL {
  /** Bits: 1 the client used TLS, 2 it gave a certificate on this connection, 4 in this session. */
  readonly client: number;
  /** 0 where the client gave a certificate and it was verified; else not 0. */
  readonly verify: number;
  /** Of TLS, such as `TLSv1.3`; null where it was not told, as all below. */
  readonly version: string | null;
  /** Common name of the client's certificate. */
  readonly commonName: string | null;
  /** Such as `ECDHE-RSA-AES128-GCM-SHA256`. */
  readonly cipher: string | null;
  /** That signed the balancer's certificate, such as `SHA256`. */
  readonly signatureAlgorithm: string | null;
  /** Of the key of the balancer's certificate, such as `RSA2048`. */
  readonly keyAlgorithm: string | null;
  /** All fields inside, in their order. */
  readonly tlvs: readonly ProxyTLV[];
}

/** A PROXY header that was received. */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /** `PROXY`: forwarded for a client. `LOCAL`: the balancer's own, such as a health check; version 2. */
  readonly command: 'PROXY' | 'LOCAL';
  /** The client; null where the header does not tell (LOCAL, UNKNOWN, UNSPEC). */
  readonly source: SocketAddr | null;
  /** Where the client had connected to; null with `source`. */
  readonly destination: SocketAddr | null;
  /** All fields of a header of version 2, in their order. */
  readonly tlvs: readonly ProxyTLV[];
  /** Bytes that the header took. */
  readonly length: number;

  /** The protocol negotiated inside TLS (PP2_TYPE_ALPN), such as `h2`; null where it was not told, as all below. */
  readonly alpn: string | null;
  /** The host that the client asked for, in TLS its SNI (PP2_TYPE_AUTHORITY). */
  readonly authority: string | null;
  /** What identifies the connection among balancers (PP2_TYPE_UNIQUE_ID), up to 128 bytes. */
  readonly uniqueId: Buffer | null;
  /** The network namespace (PP2_TYPE_NETNS). */
  readonly netns: string | null;
  readonly ssl: ProxySSL | null;
}

/** The types of fields that the protocol defines, its PP2_TYPE_… and PP2_SUBTYPE_…; 0xE0 to 0xEF are free for applications. */
export const proxyTLVTypes = Object.freeze({
  ALPN: 0x01,
  AUTHORITY: 0x02,
  CRC32C: 0x03,
  NOOP: 0x04,
  UNIQUE_ID: 0x05,
  SSL: 0x20,
  SSL_VERSION: 0x21,
  SSL_CN: 0x22,
  SSL_CIPHER: 0x23,
  SSL_SIG_ALG: 0x24,
  SSL_KEY_ALG: 0x25,
  NETNS: 0x30,
});

/**
 * - `missing`: the bytes begin otherwise
 * - `malformed`: they begin as a header does, and break its rules or are of a version that is not accepted
 * - `oversized`: longer than is allowed
 */
export type ProxyHeaderProblem = 'missing' | 'malformed' | 'oversized';

/** Bytes that are no PROXY header, or a bad one. */
export class ProxyHeaderError extends Error {
  readonly code = 'ERR_SPLICEWAY_PROXY_HEADER';

  constructor(
    readonly problem: ProxyHeaderProblem,
    message: string,
  ) {
    super(`PROXY header: ${message}`);
    this.name = 'ProxyHeaderError';
  }
}

export const malformed = (message: string): ProxyHeaderError => new ProxyHeaderError('malformed', message);
export const oversized = (message: string): ProxyHeaderError => new ProxyHeaderError('oversized', message);

/** What a header does not tell. */
export const UNTOLD = Object.freeze({
  source: null,
  destination: null,
  tlvs: Object.freeze([]),
  alpn: null,
  authority: null,
  uniqueId: null,
  netns: null,
  ssl: null,
});
