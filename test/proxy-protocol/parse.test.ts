import { randomBytes } from 'node:crypto';
import {
  type Addr,
  formatProxyHeader,
  type ProxyHeader,
  ProxyHeaderError,
  type ProxyHeaderOptions,
  parseProxyHeader,
  proxyTLVTypes,
  TCPAddr,
  UDPAddr,
  UnixAddr,
} from 'spliceway';
import { describe, expect, test } from 'vitest';
import { recorded } from './vectors.ts';

/** What is wrong with the bytes. */
function problem(bytes: Buffer | string, options?: ProxyHeaderOptions): string {
  try {
    const header = parseProxyHeader(Buffer.from(bytes as string, 'latin1'), options);
    return header === null ? 'more' : 'none';
  } catch (error) {
    expect(error).toBeInstanceOf(ProxyHeaderError);
    expect(error).toMatchObject({ name: 'ProxyHeaderError', code: 'ERR_SPLICEWAY_PROXY_HEADER' });
    return (error as ProxyHeaderError).problem;
  }
}

const ends = (header: ProxyHeader | null) => `${header?.source} ${header?.destination}`;
const line = (text: string) => `PROXY ${text}\r\n`;

/** A header of version 2: command, family and what follows its length. */
function binary(command: number, family: number, ...block: (Buffer | number[])[]): Buffer {
  const rest = Buffer.concat(block.map((part) => Buffer.from(part)));
  const head = Buffer.from([...Buffer.from('\r\n\r\n\0\r\nQUIT\n'), command, family, 0, 0]);
  head.writeUInt16BE(rest.length, 14);
  return Buffer.concat([head, rest]);
}

const IPV4 = [192, 0, 2, 1, 198, 51, 100, 7, 0xdc, 0x04, 0x01, 0xbb];
const tlv = (type: number, value: string | number[]) => {
  const bytes = Buffer.from(value as string);
  return Buffer.from([type, bytes.length >> 8, bytes.length & 255, ...bytes]);
};

describe('version 1', () => {
  test('the example of the specification', () => {
    const bytes = Buffer.from('PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET / HTTP/1.1\r\n');
    const header = parseProxyHeader(bytes);
    expect(header).toEqual({
      version: 1,
      command: 'PROXY',
      source: new TCPAddr('192.168.0.1', 56324),
      destination: new TCPAddr('192.168.0.11', 443),
      tlvs: [],
      length: 47,
      alpn: null,
      authority: null,
      uniqueId: null,
      netns: null,
      ssl: null,
    });
    expect(bytes.toString('latin1', header?.length)).toBe('GET / HTTP/1.1\r\n');
  });

  test.each([
    ['TCP4 255.255.255.255 255.255.255.255 65535 65535', '255.255.255.255:65535 255.255.255.255:65535'],
    ['TCP4 0.0.0.0 0.0.0.0 0 0', '0.0.0.0:0 0.0.0.0:0'],
    ['TCP6 2001:DB8::1 ::1 1 65535', '[2001:db8::1]:1 [::1]:65535'],
    ['TCP6 :: 1:2:3:4:5:6:7:8 1 2', '[::]:1 [1:2:3:4:5:6:7:8]:2'],
    ['TCP6 0001:0002:0:0:0:0:0:8 fe80::1 1 2', '[1:2::8]:1 [fe80::1]:2'],
    ['TCP6 ::ffff:192.0.2.1 ::ffff:c000:201 1 2', '192.0.2.1:1 192.0.2.1:2'],
    [`TCP6 ${'ffff:'.repeat(8).slice(0, -1)} ${'ffff:'.repeat(8).slice(0, -1)} 65535 65535`, '…'],
  ])('%s', (text, expected) => {
    const header = parseProxyHeader(Buffer.from(line(text)));
    if (expected !== '…') expect(ends(header)).toBe(expected);
    expect(header).toMatchObject({ version: 1, command: 'PROXY', length: line(text).length });
  });

  test.each([
    'UNKNOWN',
    'UNKNOWN ',
    'UNKNOWN whatever there is',
    `UNKNOWN ${'ffff:'.repeat(8).slice(0, -1)} ${'ffff:'.repeat(8).slice(0, -1)} 65535 65535`,
    'UNKNOWN bare \n and \r',
  ])('%j tells of nobody', (text) => {
    const header = parseProxyHeader(Buffer.from(`${line(text)}x`));
    expect(header).toMatchObject({ source: null, destination: null, command: 'PROXY', length: line(text).length });
  });

  test.each([
    'TCP4 192.0.2.1 192.0.2.2 1',
    'TCP4 192.0.2.1 192.0.2.2 1 2 3',
    'TCP4 192.0.2.1 192.0.2.2 1 2 ',
    'TCP4  192.0.2.1 192.0.2.2 1 2',
    'TCP4 192.0.2.1 192.0.2.2  1 2',
    'TCP4\t192.0.2.1 192.0.2.2 1 2',
    ' TCP4 192.0.2.1 192.0.2.2 1 2',
    'TCP4 192.0.2.1 192.0.2.2 01 2',
    'TCP4 192.0.2.1 192.0.2.2 1 00',
    'TCP4 192.0.2.1 192.0.2.2 65536 2',
    'TCP4 192.0.2.1 192.0.2.2 1 99999999999',
    'TCP4 192.0.2.1 192.0.2.2 +1 2',
    'TCP4 192.0.2.1 192.0.2.2 -1 2',
    'TCP4 192.0.2.1 192.0.2.2 1e1 2',
    'TCP4 192.0.2.1 192.0.2.2 0x1 2',
    'TCP4 192.0.2.1 192.0.2.2 a 2',
    'TCP4 192.0.2.01 192.0.2.2 1 2',
    'TCP4 192.0.2.256 192.0.2.2 1 2',
    'TCP4 192.0.2 192.0.2.2 1 2',
    'TCP4 192.0.2.1.1 192.0.2.2 1 2',
    'TCP4 192.0.2.1. 192.0.2.2 1 2',
    'TCP4 3221225985 192.0.2.2 1 2',
    'TCP4 0xc0.0.2.1 192.0.2.2 1 2',
    'TCP4 ::1 ::1 1 2',
    'TCP4 ::ffff:192.0.2.1 192.0.2.2 1 2',
    'TCP4 localhost 192.0.2.2 1 2',
    'TCP6 192.0.2.1 192.0.2.2 1 2',
    'TCP6 fe80::1%eth0 ::1 1 2',
    'TCP6 1::2::3 ::1 1 2',
    'TCP6 12345::1 ::1 1 2',
    'TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2',
    'TCP6 1:2:3:4:5:6:7 ::1 1 2',
    'TCP6 [::1] ::1 1 2',
    'TCP6 ::ffff:192.0.02.1 ::1 1 2',
    'TCP6 ::g ::1 1 2',
    'TCP5 192.0.2.1 192.0.2.2 1 2',
    'tcp4 192.0.2.1 192.0.2.2 1 2',
    'UDP4 192.0.2.1 192.0.2.2 1 2',
    'UNKNOWNX',
    'UNKNOW',
    'TCP4 192.0.2.1\0 192.0.2.2 1 2',
    'TCP4 192.0.2.1 192.0.2.2 1 2\r',
    'TCP4 192.0.2.1\u00a0192.0.2.2 1 2',
    '',
  ])('%j is malformed', (text) => {
    expect(problem(line(text))).toBe('malformed');
  });

  test.each(['PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n', 'PROXY\n', 'PROXY\r\n', 'PROXYTCP4 192.0.2.1 192.0.2.2 1 2\r\n'])(
    '%j is malformed',
    (text) => {
      expect(problem(text)).toBe('malformed');
    },
  );

  test('a CR alone ends nothing', () => {
    expect(problem('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r')).toBe('more');
    expect(problem('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rGET / HTTP/1.1\r\n')).toBe('malformed');
  });

  test('107 bytes and not one more', () => {
    const longest = line(`UNKNOWN ${'x'.repeat(91)}`);
    expect(longest).toHaveLength(107);
    expect(parseProxyHeader(Buffer.from(`${longest}more`))?.length).toBe(107);
    expect(problem(line(`UNKNOWN ${'x'.repeat(92)}`))).toBe('oversized');
    expect(problem(`PROXY UNKNOWN ${'x'.repeat(91)}`)).toBe('more');
    expect(problem(`PROXY UNKNOWN ${'x'.repeat(93)}`)).toBe('oversized');
    expect(problem(`PROXY TCP4 ${'1'.repeat(5000)}`)).toBe('oversized');
  });
});

describe('version 2', () => {
  test.each([
    [0x11, IPV4, '192.0.2.1:56324 198.51.100.7:443', TCPAddr],
    [0x12, IPV4, '192.0.2.1:56324 198.51.100.7:443', UDPAddr],
  ])('family and transport %i over IPv4', (family, block, expected, kind) => {
    const header = parseProxyHeader(binary(0x21, family, block));
    expect(ends(header)).toBe(expected);
    expect(header?.source).toBeInstanceOf(kind);
    expect(header).toMatchObject({ version: 2, command: 'PROXY', length: 28, tlvs: [] });
  });

  test.each([0x21, 0x22])('family and transport %i over IPv6', (family) => {
    const from = Buffer.from('20010db8000000000000000000000001', 'hex');
    const to = Buffer.from('00000000000000000000ffffc0000201', 'hex');
    const header = parseProxyHeader(binary(0x21, family, from, to, [0, 1, 255, 255]));
    expect(ends(header)).toBe('[2001:db8::1]:1 192.0.2.1:65535');
  });

  test.each([
    [0x31, 'unix'],
    [0x32, 'unixgram'],
  ])('family and transport %i over Unix sockets', (family, network) => {
    const paths = Buffer.alloc(216);
    paths.write('/run/a.sock\0left over', 0);
    paths.write('\0abstract', 108);
    const header = parseProxyHeader(binary(0x21, family, paths));
    expect(header?.source).toEqual(new UnixAddr('/run/a.sock', network as UnixAddr['network']));
    expect(header?.destination).toEqual(new UnixAddr('@abstract', network as UnixAddr['network']));
    const full = parseProxyHeader(binary(0x21, family, Buffer.concat([Buffer.alloc(108, 'p'), Buffer.alloc(108)])));
    expect(ends(full)).toBe(`${'p'.repeat(108)} @`);
  });

  test('LOCAL is believed and tells of nobody, whatever follows', () => {
    expect(parseProxyHeader(recorded.local)).toMatchObject({ version: 2, command: 'LOCAL', source: null, length: 16 });
    for (const family of [0x00, 0x11, 0x31, 0xff]) {
      const header = parseProxyHeader(Buffer.concat([binary(0x20, family, [1, 2, 3]), Buffer.from('rest')]));
      expect(header).toMatchObject({ command: 'LOCAL', source: null, destination: null, tlvs: [], length: 19 });
    }
  });

  test.each([0x00, 0x01, 0x02, 0x10, 0x20, 0x30])('family and transport %i tell of nobody', (family) => {
    const header = parseProxyHeader(binary(0x21, family, [255, 255, 255, 255]));
    expect(header).toMatchObject({ command: 'PROXY', source: null, destination: null, tlvs: [], length: 20 });
  });

  test('fields without addresses are read', () => {
    expect(parseProxyHeader(binary(0x21, 0, tlv(2, 'a.example')))).toMatchObject({ authority: 'a.example' });
  });

  test.each([0x22, 0x2f, 0x11, 0x31, 0x01, 0x00, 0xf1])('version and command %i are malformed', (command) => {
    expect(problem(binary(command, 0x11, IPV4))).toBe('malformed');
  });

  test.each([0x13, 0x1f, 0x41, 0xf1, 0x40])('family and transport %i are malformed', (family) => {
    expect(problem(binary(0x21, family, Buffer.alloc(216)))).toBe('malformed');
  });

  test.each([
    [0x11, 11],
    [0x12, 0],
    [0x21, 35],
    [0x31, 215],
  ])('family and transport %i with %i bytes is malformed', (family, size) => {
    expect(problem(binary(0x21, family, Buffer.alloc(size)))).toBe('malformed');
  });

  test('what is longer than allowed is told by its length alone', () => {
    const long = binary(0x21, 0x11, IPV4, tlv(0xe0, 'x'.repeat(4096 - 28 - 3)));
    expect(long).toHaveLength(4096);
    expect(problem(long)).toBe('none');
    const head = Buffer.from(binary(0x21, 0x11, Buffer.alloc(4081)).subarray(0, 16));
    expect(problem(head)).toBe('oversized');
    expect(problem(head, { maxHeader: 4097 })).toBe('more');
    expect(problem(long, { maxHeader: 4095 })).toBe('oversized');
    const longest = binary(0x21, 0, Buffer.alloc(65535));
    expect(parseProxyHeader(longest, { maxHeader: 65551 })?.length).toBe(65551);
  });
});

describe('fields', () => {
  const withFields = (...fields: Buffer[]) => binary(0x21, 0x11, IPV4, ...fields);

  test('what HAProxy sends is understood, its checksums too', () => {
    expect(ends(parseProxyHeader(recorded.text))).toBe('127.0.0.1:36786 127.0.0.1:19101');
    const ipv4 = parseProxyHeader(recorded.ipv4);
    expect(ends(ipv4)).toBe('127.0.0.1:42468 127.0.0.1:19102');
    expect(String(ipv4?.uniqueId)).toBe('7F000001:A5E4');
    const ipv6 = parseProxyHeader(recorded.ipv6);
    expect(ends(ipv6)).toBe('[::1]:48040 [::1]:19106');
    expect(ipv6?.uniqueId).toEqual(Buffer.alloc(0));
    expect(parseProxyHeader(recorded.tls)).toMatchObject({
      alpn: 'h2',
      authority: 'www.example.org',
      uniqueId: null,
      netns: null,
      ssl: {
        client: 7,
        verify: 0,
        version: 'TLSv1.3',
        commonName: 'client.example',
        cipher: 'TLS_AES_256_GCM_SHA384',
        signatureAlgorithm: 'RSA-SHA256',
        keyAlgorithm: 'RSA2048',
      },
    });
    expect(parseProxyHeader(recorded.tls)?.ssl?.tlvs.map(({ type }) => type)).toEqual([0x21, 0x22, 0x25, 0x24, 0x23]);
  });

  test('any bit that is flipped makes the checksum wrong, or the header another', () => {
    for (const good of [recorded.ipv4, recorded.ipv6, recorded.tls]) {
      for (let bit = 0; bit < 8 * good.length; bit++) {
        const bad = Buffer.from(good);
        bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
        // It may say that it is LOCAL or of no family, or longer than there is of it; it may hide the checksum.
        const told = problem(bad) === 'none' ? parseProxyHeader(bad) : null;
        const checked = told?.tlvs.some(({ type }) => type === proxyTLVTypes.CRC32C) === true;
        expect({ bit, checked }).toEqual({ bit, checked: false });
      }
    }
  });

  test('all are given, in their order, and what is not known too', () => {
    const header = parseProxyHeader(withFields(tlv(0xe0, 'own'), tlv(4, 'padding'), tlv(0x30, 'blue'), tlv(0xe0, '')));
    expect(header?.netns).toBe('blue');
    expect(header?.tlvs.map(({ type, value }) => [type, String(value)])).toEqual([
      [0xe0, 'own'],
      [4, 'padding'],
      [0x30, 'blue'],
      [0xe0, ''],
    ]);
  });

  test('their memory is their own', () => {
    const bytes = withFields(tlv(2, 'a.example'));
    const header = parseProxyHeader(Buffer.concat([bytes, Buffer.from('secret')]));
    bytes.fill(0);
    expect(header?.authority).toBe('a.example');
    expect(Buffer.from(header?.tlvs[0]?.value.buffer as ArrayBuffer).includes('secret')).toBe(false);
    expect(header?.tlvs[0]?.value.buffer.byteLength).toBe(header?.length);
  });

  test('a unique ID has 128 bytes at most', () => {
    expect(parseProxyHeader(withFields(tlv(5, 'x'.repeat(128))))?.uniqueId).toHaveLength(128);
    expect(problem(withFields(tlv(5, 'x'.repeat(129))))).toBe('malformed');
  });

  test.each([
    ['a head that is cut off', [Buffer.from([2, 0])]],
    ['a value that is cut off', [Buffer.from([2, 0, 3, 65, 66])]],
    ['a length beyond everything', [Buffer.from([2, 255, 255, 65])]],
    ['one byte after the last', [tlv(2, 'a'), Buffer.from([0])]],
    ['a checksum of another size', [tlv(3, [1, 2, 3])]],
    ['a wrong checksum', [tlv(3, [0, 0, 0, 0])]],
    ['an SSL field without its head', [tlv(0x20, [1, 0, 0, 0])]],
    ['an SSL field whose own are cut off', [tlv(0x20, [1, 0, 0, 0, 0, 0x21, 0, 9, 65])]],
  ])('%s is malformed', (_, fields) => {
    expect(problem(withFields(...fields))).toBe('malformed');
  });

  test('two checksums are malformed', () => {
    const good = formatProxyHeader({
      source: new TCPAddr('192.0.2.1', 1),
      destination: new TCPAddr('192.0.2.1', 1),
      tlvs: [{ type: proxyTLVTypes.CRC32C }],
    });
    expect(problem(good)).toBe('none');
    const twice = Buffer.concat([good, good.subarray(28)]);
    twice.writeUInt16BE(twice.length - 16, 14);
    expect(problem(twice)).toBe('malformed');
  });
});

describe('both versions', () => {
  const headers = [...Object.values(recorded), Buffer.from('PROXY UNKNOWN\r\n'), Buffer.from(line('TCP6 ::1 ::2 1 2'))];

  test('every beginning asks for more, and what follows changes nothing', () => {
    for (const whole of headers) {
      for (let n = 0; n < whole.length; n++) expect(problem(whole.subarray(0, n))).toBe('more');
      const header = parseProxyHeader(whole);
      expect(header?.length).toBe(whole.length);
      expect(parseProxyHeader(Buffer.concat([whole, randomBytes(20)]))).toEqual(header);
    }
  });

  test('a first byte that fits none is enough', () => {
    const first = new Set([...'P\r'].map((letter) => letter.charCodeAt(0)));
    for (let byte = 0; byte < 256; byte++) {
      expect(problem(Buffer.from([byte]))).toBe(first.has(byte) ? 'more' : 'missing');
    }
    for (const text of [
      'GET / HTTP/1.1\r\n',
      'PROXX',
      'proxy TCP4',
      '\r\n\r\nGET',
      '\r\n\r\n\0\r\nQUIX',
      '\x16\x03\x01',
    ]) {
      expect(problem(text)).toBe('missing');
    }
  });

  test('accept names the version', () => {
    expect(problem(recorded.text, { accept: 'v2' })).toBe('malformed');
    expect(problem(recorded.text.subarray(0, 5), { accept: 'v2' })).toBe('malformed');
    expect(problem(recorded.ipv4, { accept: 'v1' })).toBe('malformed');
    expect(problem(recorded.text, { accept: 'v1' })).toBe('none');
    expect(problem(recorded.ipv4, { accept: 'v2' })).toBe('none');
  });

  test('garbage is refused, and nothing else is thrown', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 20_000; i++) {
      const start = [recorded.text, recorded.ipv4, recorded.tls, Buffer.from('PROXY ')][i % 4] as Buffer;
      const kept = start.subarray(0, (i * 7919) % start.length);
      seen.add(problem(Buffer.concat([kept, randomBytes(i % 97)])));
      const flipped = Buffer.from(start);
      flipped[(i * 31) % flipped.length] = i & 255;
      seen.add(problem(flipped));
    }
    expect([...seen].sort()).toEqual(['malformed', 'missing', 'more', 'none', 'oversized']);
  });

  test('arguments that cannot be', () => {
    const parse = parseProxyHeader as (...args: unknown[]) => unknown;
    expect(() => parse('PROXY')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
    expect(() => parse(recorded.text, null)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
    expect(() => parse(recorded.text, { accept: 'v3' })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    );
    for (const maxHeader of [106, 65552, 1.5, Number.NaN]) {
      expect(() => parse(recorded.text, { maxHeader })).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    }
  });
});

describe('what is formatted', () => {
  const pairs: [Addr, Addr][] = [
    [new TCPAddr('192.0.2.1', 0), new TCPAddr('198.51.100.7', 65535)],
    [new TCPAddr('2001:db8::1', 1), new TCPAddr('::', 2)],
    [new TCPAddr('192.0.2.1', 1), new TCPAddr('2001:db8::1', 2)],
    [new UDPAddr('192.0.2.1', 1), new UDPAddr('::1', 2)],
    [new UnixAddr('/run/a.sock'), new UnixAddr('@b')],
    [new UnixAddr('', 'unixgram'), new UnixAddr('p'.repeat(108), 'unixgram')],
  ];

  test.each(pairs)('%s to %s comes back', (source, destination) => {
    const tlvs = [{ type: 1, value: 'h2' }, { type: 3 }, { type: 0xef, value: randomBytes(300) }];
    const header = parseProxyHeader(formatProxyHeader({ source, destination, tlvs }));
    expect(header).toMatchObject({ version: 2, command: 'PROXY', source, destination, alpn: 'h2' });
    const [, checksum, own] = header?.tlvs ?? [];
    expect(checksum?.value).toHaveLength(4);
    expect(own).toEqual(tlvs[2]);
    const text = parseProxyHeader(formatProxyHeader({ version: 1, source, destination }));
    if (source instanceof TCPAddr) expect(text).toMatchObject({ version: 1, source, destination });
    else expect(text).toMatchObject({ version: 1, source: null, destination: null });
  });

  test('a received header goes on as it came', () => {
    for (const bytes of [recorded.ipv4, recorded.ipv6, recorded.tls, recorded.local]) {
      const { command, source, destination, tlvs } = parseProxyHeader(bytes) as ProxyHeader;
      expect(formatProxyHeader({ command, source, destination, tlvs })).toEqual(bytes);
    }
    const { source, destination } = parseProxyHeader(recorded.text) as ProxyHeader;
    expect(formatProxyHeader({ version: 1, source, destination })).toEqual(recorded.text);
  });

  test('the words of version 1', () => {
    const text = (source: Addr | null, destination: Addr | null) =>
      String(formatProxyHeader({ version: 1, source, destination }));
    const [a, b] = [new TCPAddr('192.0.2.1', 1), new TCPAddr('::ffff:c000:202', 2)];
    expect(text(a, b)).toBe('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n');
    expect(text(a, new TCPAddr('2001:DB8:0:0::1', 2))).toBe('PROXY TCP6 ::ffff:c000:201 2001:db8::1 1 2\r\n');
    expect(text(a, null)).toBe('PROXY UNKNOWN\r\n');
    expect(text(new UnixAddr('/a'), new UnixAddr('/b'))).toBe('PROXY UNKNOWN\r\n');
    expect(String(formatProxyHeader({ version: 1, command: 'LOCAL', source: a, destination: b }))).toBe(
      'PROXY UNKNOWN\r\n',
    );
  });

  test('addresses that do not go together are of no family', () => {
    const tcp = new TCPAddr('192.0.2.1', 1);
    const mixed: [Addr | null, Addr | null][] = [
      [tcp, null],
      [null, null],
      [tcp, new UDPAddr('192.0.2.1', 1)],
      [tcp, new UnixAddr('/a')],
      [new UnixAddr('/a'), new UnixAddr('/b', 'unixgram')],
      [new UnixAddr('/a', 'unixpacket'), new UnixAddr('/b', 'unixpacket')],
    ];
    for (const [source, destination] of mixed) {
      const bytes = formatProxyHeader({ source, destination, tlvs: [{ type: 2, value: 'a.example' }] });
      expect(bytes[13]).toBe(0);
      expect(parseProxyHeader(bytes)).toMatchObject({ source: null, authority: 'a.example', command: 'PROXY' });
    }
  });

  test('arguments that cannot be', () => {
    const tcp = new TCPAddr('192.0.2.1', 1);
    const refused = (header: object, code: string) =>
      expect(() => formatProxyHeader(header)).toThrow(expect.objectContaining({ code }));
    refused({ version: 3 }, 'ERR_INVALID_ARG_VALUE');
    refused({ command: 'proxy' }, 'ERR_INVALID_ARG_VALUE');
    refused({ source: '192.0.2.1:1' }, 'ERR_INVALID_ARG_TYPE');
    refused({ tlvs: 'none' }, 'ERR_INVALID_ARG_TYPE');
    refused({ tlvs: [null] }, 'ERR_INVALID_ARG_TYPE');
    refused({ tlvs: [{ type: 'ALPN' }] }, 'ERR_INVALID_ARG_TYPE');
    refused({ tlvs: [{ type: 256 }] }, 'ERR_OUT_OF_RANGE');
    refused({ tlvs: [{ type: 1, value: 7 }] }, 'ERR_INVALID_ARG_TYPE');
    refused({ tlvs: [{ type: 5, value: 'x'.repeat(129) }] }, 'ERR_OUT_OF_RANGE');
    refused({ tlvs: [{ type: 1, value: Buffer.alloc(65536) }] }, 'ERR_OUT_OF_RANGE');
    refused({ tlvs: Array(2).fill({ type: 1, value: Buffer.alloc(40_000) }) }, 'ERR_OUT_OF_RANGE');
    refused({ tlvs: [{ type: 3 }, { type: 3 }] }, 'ERR_INVALID_ARG_VALUE');
    refused({ version: 1, tlvs: [{ type: 1 }] }, 'ERR_INVALID_ARG_VALUE');
    refused({ source: new TCPAddr('here', 1), destination: tcp }, 'ERR_SPLICEWAY_ADDRESS');
    refused({ source: new UnixAddr('p'.repeat(109)), destination: new UnixAddr('') }, 'ERR_OUT_OF_RANGE');
    expect(() => formatProxyHeader(null as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  });
});
