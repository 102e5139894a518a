// CRC32c (RFC 4960, appendix B): the Castagnoli polynomial, bits reversed.

const POLYNOMIAL = 0x82f63b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL;
  return crc;
});

/** The checksum of the bytes, with four at `hole` taken as zeros: where it stands itself. */
export function crc32c(bytes: Uint8Array, hole: number): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) {
    const byte = i >= hole && i < hole + 4 ? 0 : (bytes[i] as number);
    crc = (TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}
