import { randomBytes } from 'node:crypto';
import { parseClientHello } from 'spliceway';
import { describe, expect, test } from 'vitest';
import {
  alpn,
  body,
  extension,
  type HelloParts,
  hello,
  helloOf,
  message,
  records,
  serverName,
  versions,
} from './hello.ts';

describe('what OpenSSL sends', () => {
  test('is understood', async () => {
    const both = await helloOf({ servername: 'www.Example.org', ALPNProtocols: ['h2', 'http/1.1'] });
    expect(parseClientHello(both)).toEqual({
      sni: 'www.example.org',
      alpn: ['h2', 'http/1.1'],
      versions: [0x0304, 0x0303],
      ech: false,
    });
    expect(parseClientHello(await helloOf({ maxVersion: 'TLSv1.2' }))).toMatchObject({
      sni: null,
      alpn: [],
      versions: [0x0303],
    });
  });

  test('every beginning of it asks for more; what follows changes nothing', async () => {
    const whole = await helloOf({ servername: 'www.example.org', ALPNProtocols: ['h2'] });
    for (let n = 0; n < whole.length; n++) expect(parseClientHello(whole.subarray(0, n))).toBeUndefined();
    const parsed = parseClientHello(whole);
    expect(parseClientHello(Buffer.concat([whole, randomBytes(100)]))).toEqual(parsed);
    expect(parseClientHello(new Uint8Array(whole))).toEqual(parsed);
  });

  test('in records of any size it is the same', async () => {
    const whole = await helloOf({ servername: 'www.example.org', ALPNProtocols: ['h2'] });
    const parsed = parseClientHello(whole);
    expect(parsed).toMatchObject({ sni: 'www.example.org' });
    for (const size of [1, 2, 3, 4, 5, 43, 100, 200]) {
      const split = records(whole.subarray(5), size);
      expect(parseClientHello(split)).toEqual(parsed);
      for (let n = 0; n < split.length; n += 7) expect(parseClientHello(split.subarray(0, n))).toBeUndefined();
    }
  });
});

describe('what is legal', () => {
  test('no extensions, as before TLS 1.3, or none of them', () => {
    const none = { sni: null, alpn: [], versions: [0x0301], ech: false };
    expect(parseClientHello(records(message(body({ version: [3, 1], extensions: null }))))).toEqual(none);
    expect(parseClientHello(records(message(body({ version: [3, 1] }))))).toEqual(none);
  });

  test('GREASE means nothing, wherever it stands', () => {
    const grease = Buffer.from([0x7a, 0x7a]);
    const bytes = hello(
      extension(0x2a2a, Buffer.alloc(0)),
      serverName('a.example'),
      alpn(grease, 'h2'),
      versions(0x8a8a, 0x0304, 0x0303),
      extension(0xcaca, Buffer.from([0])),
    );
    expect(parseClientHello(bytes)).toEqual({ sni: 'a.example', alpn: ['h2'], versions: [0x0304, 0x0303], ech: false });
  });

  test('an encrypted ClientHello is told', () => {
    expect(parseClientHello(hello(extension(0xfe0d, Buffer.alloc(9)), serverName('front')))).toMatchObject({
      sni: 'front',
      ech: true,
    });
  });

  test('a name of another type is none', () => {
    const other = serverName('a.example');
    other[6] = 1;
    expect(parseClientHello(hello(other))?.sni).toBeNull();
  });

  test('as much as there may be: 32 bytes of session, names of 255 bytes, messages of many records', () => {
    const long = alpn(...Array.from({ length: 200 }, () => 'x'.repeat(255)));
    const whole = records(message(body({ session: Array(32).fill(1), extensions: long })), 16384);
    expect(whole.length).toBeGreaterThan(3 * 16384);
    expect(parseClientHello(whole)?.alpn).toHaveLength(200);
  });
});

describe('what is none', () => {
  const parts = (changed: HelloParts) => records(message(body(changed)));
  const good = hello(serverName('a.example'));
  const cut = (n: number) => {
    const content = body({ extensions: serverName('a.example') });
    return records(message(content.subarray(0, content.length - n)));
  };

  const cases: [string, Buffer][] = [
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')],
    ['a ClientHello of SSL 2', Buffer.from('802e010301001500000010', 'hex')],
    ['an alert', Buffer.from([21, 3, 3, 0, 2, 2, 40])],
    ['another major version of records', Buffer.from([22, 2])],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
    ['a record that is too long', Buffer.from([22, 3, 1, 0x40, 1])],
    ['another message', records(message(body(), 2))],
    ['another major version', parts({ version: [2, 0] })],
    ['a session of 33 bytes', parts({ session: Array(33).fill(1) })],
    ['no cipher suites', parts({ ciphers: [] })],
    ['half a cipher suite', parts({ ciphers: [1, 2, 3] })],
    ['no compression method', parts({ compression: [] })],
    ['bytes after the extensions', records(message(Buffer.concat([body(), Buffer.from([0])])))],
    ['an extension twice', hello(serverName('a.example'), serverName('a.example'))],
    ['an extension that is cut off', parts({ extensions: Buffer.from([0, 16, 0, 9, 1]) })],
    ['two hosts', hello(serverName('a.example', 'b.example'))],
    ['an empty host', hello(serverName(''))],
    ['no host in the list', hello(extension(0, Buffer.from([0, 0])))],
    ['an empty list of hosts', hello(extension(0, Buffer.alloc(0)))],
    ['a host with a NUL', hello(serverName('a.example\0.evil'))],
    ['a host with a space', hello(serverName('a example'))],
    ['a host that is not ASCII', hello(serverName(Buffer.from('é.example')))],
    ['a length of hosts that is not theirs', hello(extension(0, Buffer.from([0, 9, 0, 0, 1, 97])))],
    ['an empty protocol', hello(alpn('h2', ''))],
    ['no protocols', hello(extension(16, Buffer.from([0, 0])))],
    ['half a version', hello(extension(43, Buffer.from([3, 3, 4, 3])))],
    [
      'another record between two of it',
      Buffer.concat([records(message(body()).subarray(0, 9)), Buffer.from([23, 3, 3])]),
    ],
  ];

  test.each(cases)('%s', (_, bytes) => {
    expect(parseClientHello(bytes)).toBeNull();
  });

  test('a message that is cut off anywhere, by its own length', () => {
    expect(parseClientHello(cut(0))).toMatchObject({ sni: 'a.example' });
    const end = serverName('a.example').length + 2;
    // Less all of its extensions it is whole again.
    for (let n = 1; n < body().length; n++) {
      if (n !== end) expect({ n, parsed: parseClientHello(cut(n)) }).toEqual({ n, parsed: null });
    }
  });

  test('garbage: never throws, and never is what it was', () => {
    for (let i = 0; i < 20_000; i++) {
      const bytes = Buffer.from(good);
      for (let flips = 0; flips <= i % 3; flips++)
        bytes[(i * 31 + flips * 17) % bytes.length] = randomBytes(1)[0] as number;
      const parsed = parseClientHello(bytes.subarray(0, 1 + ((i * 7919) % bytes.length)));
      expect(parsed === null || parsed === undefined || typeof parsed.ech === 'boolean').toBe(true);
      const random = parseClientHello(
        Buffer.concat([Buffer.from([22, 3, 1, 0, 60, 1, 0, 0, 56, 3, 3]), randomBytes(54)]),
      );
      expect(random === null || typeof random === 'object').toBe(true);
    }
  });

  test('only bytes are taken', () => {
    const code = 'ERR_INVALID_ARG_TYPE';
    expect(() => parseClientHello('hello' as never)).toThrow(expect.objectContaining({ code }));
  });
});
