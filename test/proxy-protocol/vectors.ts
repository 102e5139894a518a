// Headers that HAProxy 2.6 has sent, byte by byte.

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ''), 'hex');

export const recorded = {
  /** send-proxy */
  text: Buffer.from('PROXY TCP4 127.0.0.1 127.0.0.1 36786 19101\r\n'),
  /** send-proxy-v2, with a checksum and a unique ID */
  ipv4: hex(`0d0a0d0a000d0a515549540a 21 11 0023 7f000001 7f000001 a5e4 4a9e
    03 0004 ffbaf60d 05 000d 37463030303030313a41354534`),
  /** The same over IPv6, with an empty unique ID */
  ipv6: hex(`0d0a0d0a000d0a515549540a 21 21 002e
    00000000000000000000000000000001 00000000000000000000000000000001 bba8 4aa2
    03 0004 65519a58 05 0000`),
  /** send-proxy-v2-ssl-cn, with all that it tells of TLS */
  tls: hex(`0d0a0d0a000d0a515549540a 21 11 007d 7f000001 7f000001 c0dc 4a9f
    03 0004 d9f7dde6 01 0002 6832 02 000f 7777772e6578616d706c652e6f7267
    20 0050 07 00000000 21 0007 544c5376312e33 22 000e 636c69656e742e6578616d706c65
      25 0007 52534132303438 24 000a 5253412d534841323536
      23 0016 544c535f4145535f3235365f47434d5f534841333834`),
  /** A health check */
  local: hex('0d0a0d0a000d0a515549540a 20 00 0000'),
};
