// Serialisers, with the libraries that they are for.

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { TimestampSchema } from '@bufbuild/protobuf/wkt';
import { Builder, ByteBuffer } from 'flatbuffers';
import * as msgpackr from 'msgpackr';
import { pipe } from 'spliceway';
import {
  DecodeError,
  FramedConn,
  flatBuffers,
  json,
  lengthPrefix,
  lines,
  MessageConn,
  messagePack,
  protobufEs,
  protobufJs,
  type Serialiser,
} from 'spliceway/codec';
import { describe, expect, test } from 'vitest';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { tcpPair } from '../support/pair.ts';
import { buildPerson, type Person, PersonTable, personType } from './messages.ts';

/** Two ends of a connection that speak so. */
function connected<In, Out>(serialiser: Serialiser<In, Out>): [MessageConn<In, Out>, MessageConn<In, Out>] {
  const [a, b] = pipe();
  return [new MessageConn(a, lengthPrefix(), { serialiser }), new MessageConn(b, lengthPrefix(), { serialiser })];
}

const ann: Person = { name: 'Ann Löwe', age: 42 };

describe('a message that is sent is received', () => {
  test('as JSON', async () => {
    const [a, b] = connected(json<Person>());
    void a.send(ann);
    expect(await b.receive()).toEqual(ann);
  });

  test('as MessagePack, by pack and unpack, or by encode and decode', async () => {
    const packr = new msgpackr.Packr({ useRecords: false });
    const libraries = [
      msgpackr,
      packr,
      { encode: (value: unknown) => packr.encode(value), decode: (bytes: Uint8Array) => packr.decode(bytes) },
    ];
    for (const library of libraries) {
      const [a, b] = connected(messagePack<Person>(library));
      void a.send(ann);
      expect(await b.receive()).toEqual(ann);
    }
  });

  test('by protobufjs', async () => {
    const [a, b] = connected(protobufJs(personType));
    void a.send(personType.create(ann));
    const person = await b.receive();
    expect(personType.toObject(person as never)).toEqual(ann);
  });

  test('by @bufbuild/protobuf', async () => {
    const [a, b] = connected(protobufEs({ fromBinary, toBinary }, TimestampSchema));
    void a.send(create(TimestampSchema, { seconds: 5n, nanos: 7 }));
    expect(await b.receive()).toMatchObject({ seconds: 5n, nanos: 7 });
  });

  test('by flatbuffers', async () => {
    const [a, b] = connected(flatBuffers(ByteBuffer, PersonTable.getRootAsPerson));
    void a.send(buildPerson(new Builder(), ann));
    const person = await b.receive();
    expect([person?.name(), person?.age()]).toEqual([ann.name, ann.age]);
  });

  test('by functions of one’s own, each way another', async () => {
    const [a, b] = pipe();
    const asks = new MessageConn(a, lines(), { serialiser: { encode: String, decode: (body) => body.toString() } });
    const answers = new MessageConn<number, string>(b, lines(), {
      serialiser: { encode: (text) => text, decode: (body) => Number(body.toString()) },
    });
    void asks.sendMany([1, 2]);
    expect([await answers.receive(), await answers.receive()]).toEqual([1, 2]);
    void answers.send('three');
    expect(await asks.receive()).toBe('three');
  });

  test('in a frame with a command', async () => {
    const [a, b] = pipe();
    const serialiser = protobufJs(personType);
    void new FramedConn(a).send(7, serialiser.encode(personType.create(ann)));
    const frame = await new FramedConn(b).receive();
    expect(serialiser.decode(frame?.body as Buffer)).toMatchObject(ann);
  });
});

describe('flatbuffers', () => {
  const name = 'x'.repeat(10_000);

  test('are sent from the memory of their builder', async () => {
    const serialiser = flatBuffers(ByteBuffer, PersonTable.getRootAsPerson);
    const builder = buildPerson(new Builder(), { name, age: 1 });
    expect((serialiser.encode(builder) as Uint8Array).buffer).toBe(builder.dataBuffer().bytes().buffer);
    const written: ArrayBufferLike[] = [];
    const [a] = pipe();
    const writev = async (parts: readonly Uint8Array[]) => written.push(...parts.map(({ buffer }) => buffer));
    void new MessageConn(Object.assign(a, { writev }), lengthPrefix(), { serialiser }).send(builder);
    await expect.poll(() => written).toContain(builder.dataBuffer().bytes().buffer);
  });

  test('are read where they lie: in a body of one’s own, and in a batch while it is lent', async () => {
    const serialiser = flatBuffers(ByteBuffer, PersonTable.getRootAsPerson);
    using pair = await tcpPair();
    const sender = new MessageConn(pair.client, lengthPrefix(), { serialiser });
    const receiver = new MessageConn(pair.server, lengthPrefix(), { serialiser });
    await sender.send(buildPerson(new Builder(), ann));
    const person = await receiver.receive();
    expect(person?.bytes.bytes()).toBeInstanceOf(Buffer);
    const names: (string | null)[] = [];
    receiver.onFrames((batch) => {
      for (let i = 0; i < batch.count; i++) {
        const table = serialiser.decode(batch.body(i));
        expect(table.bytes.bytes().buffer).toBe(batch.bytes.buffer);
        names.push(table.name());
      }
    });
    await sender.sendMany([
      buildPerson(new Builder(), { name: 'one', age: 1 }),
      buildPerson(new Builder(), { name, age: 2 }),
    ]);
    await expect.poll(() => names).toEqual(['one', name]);
    expect(person?.name()).toBe(ann.name);
  });
});

describe('a body that cannot be decoded', () => {
  const person = protobufJs(personType);
  const cases: [string, Serialiser<unknown, never>, string][] = [
    ['JSON', json(), '{"half'],
    ['JSON of nothing', json(), ''],
    ['MessagePack', messagePack(msgpackr), '\x92\x01'],
    ['protobufjs', person as Serialiser<unknown, never>, '\x0a\x7fshort'],
    ['@bufbuild/protobuf', protobufEs({ fromBinary, toBinary }, TimestampSchema), '\xff\xff\xff'],
    ['flatbuffers', flatBuffers(ByteBuffer, PersonTable.getRootAsPerson), '\xff\xff\xff\xff\0\0\0\0'],
    ['flatbuffers of nothing', flatBuffers(ByteBuffer, PersonTable.getRootAsPerson), ''],
  ];
  test.each(cases)('as %s is a DecodeError, and the next message is received', async (_, serialiser, bad) => {
    const [a, b] = pipe();
    const sender = new MessageConn(a, lengthPrefix());
    const given: Serialiser<unknown, never> = {
      encode: serialiser.encode,
      decode: (body) => (String(body) === 'good' ? 'good' : serialiser.decode(body)),
    };
    const receiver = new MessageConn(b, lengthPrefix(), { serialiser: given });
    const body = Buffer.from(bad, 'latin1');
    // One that waits, one that is at hand, and one of an iteration.
    const waiting = caught<DecodeError>(receiver.receive());
    void sender.sendMany([body, body, 'good', body]);
    for (const error of [await waiting, await caught<DecodeError>(receiver.receive())]) {
      expect(error).toBeInstanceOf(DecodeError);
      expect(error.code).toBe('ERR_SPLICEWAY_DECODE');
      expect(error.body.equals(body)).toBe(true);
      expect(error.cause).toBeInstanceOf(Error);
    }
    const got: unknown[] = [];
    const iterating = (async () => {
      for await (const message of receiver) got.push(message);
    })();
    expect(await caught(iterating)).toBeInstanceOf(DecodeError);
    expect(got).toEqual(['good']);
    void sender.send('good');
    expect(await receiver.receive()).toBe('good');
  });

  test('is no unhandledRejection where nobody awaits', async () => {
    const script = `
      import { pipe } from 'spliceway';
      import { json, lines, MessageConn } from 'spliceway/codec';
      const [a, b] = pipe();
      const messages = new MessageConn(b, lines(), { serialiser: json() });
      messages.receive();
      await a.write('no json\\nnone\\n1\\n');
      messages.receive();
      console.log(await messages.receive().catch((error) => error.message));
    `;
    const { code, stdout } = await runScript(script);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '1\n' });
  });
});

describe('a message that cannot be encoded', () => {
  test('rejects with what the serialiser threw, and nothing is sent', async () => {
    const [a, b] = connected(json());
    expect(await caught(a.send(1n))).toBeInstanceOf(TypeError);
    expect(await caught(a.send(undefined))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(await caught(a.sendMany([1, 2n]))).toBeInstanceOf(TypeError);
    void a.send('next');
    expect(await b.receive()).toBe('next');
  });

  test('or is larger than maxFrame', async () => {
    const [a] = pipe();
    const small = new MessageConn(a, lengthPrefix(), { serialiser: json(), maxFrame: 10 });
    expect(await caught(small.send('x'.repeat(20)))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  });
});

test('wrong arguments throw with the codes of Node', () => {
  const wrong: (() => unknown)[] = [
    () => new MessageConn(pipe()[0], lines(), { serialiser: {} as never }),
    () => new MessageConn(pipe()[0], lines(), { serialiser: { encode: String } as never }),
    () => messagePack(null as never),
    () => messagePack({ pack: () => Buffer.alloc(0) } as never),
    () => protobufJs(undefined as never),
    () => protobufEs({ fromBinary } as never, TimestampSchema),
    () => protobufEs({ fromBinary, toBinary }, undefined as never),
    () => flatBuffers(undefined as never, PersonTable.getRootAsPerson),
    () => flatBuffers(ByteBuffer, undefined as never),
  ];
  for (const call of wrong) expect(call).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
});
