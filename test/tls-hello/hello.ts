// ClientHellos, of OpenSSL's making and by hand.

import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';

/** What a TLS client sends first. */
export function helloOf(options: ConnectionOptions): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = new Duplex({
      read() {},
      write: (chunk: Buffer) => resolve(chunk),
    });
    connect({ ...options, socket });
  });
}

const sized = (size: number, ...parts: (Buffer | number[])[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const head = Buffer.alloc(size);
  head.writeUIntBE(body.length, 0, size);
  return Buffer.concat([head, body]);
};

export const extension = (type: number, data: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type >> 8, type & 255]), sized(2, data)]);

export const serverName = (...names: (string | Buffer)[]): Buffer =>
  extension(
    0,
    sized(2, ...names.map((name) => Buffer.concat([Buffer.from([0]), sized(2, Buffer.from(name as string))]))),
  );

export const alpn = (...protocols: (string | Buffer)[]): Buffer =>
  extension(16, sized(2, ...protocols.map((protocol) => sized(1, Buffer.from(protocol as string)))));

export const versions = (...numbers: number[]): Buffer =>
  extension(43, sized(1, ...numbers.map((number) => [number >> 8, number & 255])));

export interface HelloParts {
  version?: number[];
  session?: number[];
  ciphers?: number[];
  compression?: number[];
  extensions?: Buffer | null;
}

/** The body of a ClientHello. */
export function body(parts: HelloParts = {}): Buffer {
  const {
    version = [3, 3],
    session = [],
    ciphers = [0x13, 0x01],
    compression = [0],
    extensions = Buffer.alloc(0),
  } = parts;
  const head = [Buffer.from(version), Buffer.alloc(32, 7), sized(1, session), sized(2, ciphers), sized(1, compression)];
  return Buffer.concat(extensions === null ? head : [...head, sized(2, extensions)]);
}

export const message = (content: Buffer, type = 1): Buffer => Buffer.concat([Buffer.from([type]), sized(3, content)]);

/** In records of so many bytes. */
export function records(bytes: Buffer, size = 16384): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    parts.push(Buffer.from([22, 3, 1]), sized(2, bytes.subarray(at, at + size)));
  }
  return Buffer.concat(parts);
}

export const hello = (...extensions: Buffer[]): Buffer =>
  records(message(body({ extensions: Buffer.concat(extensions) })));
