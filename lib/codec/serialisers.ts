// Serialisers for libraries that are known by their shape: none of them is a dependency.

import { checkFunction, checkMethods, checkObject } from '../check';
import type { Serialiser } from './serialiser';

/** JSON. A message is one line, which lines() can carry as well as any other framing. */
export function json<In = unknown, Out = In>(): Serialiser<In, Out> {
  return {
    encode: (message) => JSON.stringify(message),
    decode: (body) => JSON.parse(body.toString()) as In,
  };
}

interface Packer {
  pack(message: unknown): Uint8Array;
  unpack(bytes: Uint8Array): unknown;
}

interface Coder {
  encode(message: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

/** A library that says pack and unpack, such as msgpackr, or encode and decode, such as @msgpack/msgpack and cbor-x. */
export type MessagePackLibrary = Packer | Coder;

/** MessagePack, or whatever else the library makes of values. */
export function messagePack<In = unknown, Out = In>(library: MessagePackLibrary): Serialiser<In, Out> {
  const packer = library as Packer;
  if (typeof packer?.pack === 'function' && typeof packer.unpack === 'function') {
    return { encode: (message) => packer.pack(message), decode: (body) => packer.unpack(body) as In };
  }
  checkMethods('library', library, 'encode', 'decode');
  const coder = library as Coder;
  return { encode: (message) => coder.encode(message), decode: (body) => coder.decode(body) as In };
}

/** A type of protobufjs: loaded, reflected, or a class that pbjs has written. */
export interface ProtobufJsType<In, Out = In> {
  encode(message: Out): { finish(): Uint8Array };
  decode(bytes: Uint8Array): In;
}

/** Protocol buffers by protobufjs. */
export function protobufJs<In, Out = In>(type: ProtobufJsType<In, Out>): Serialiser<In, Out> {
  checkMethods('type', type, 'encode', 'decode');
  return {
    encode: (message) => type.encode(message).finish(),
    decode: (body) => type.decode(body),
  };
}

/** These two functions of @bufbuild/protobuf. */
export interface ProtobufEsLibrary<Schema, Message> {
  fromBinary(schema: Schema, bytes: Uint8Array): Message;
  // Of what fromBinary() gives; saying so would keep TypeScript from seeing what that is.
  toBinary(schema: Schema, message: never): Uint8Array;
}

/** Protocol buffers by @bufbuild/protobuf: its functions, and the schema of the messages. */
export function protobufEs<Schema, Message>(
  library: ProtobufEsLibrary<Schema, Message>,
  schema: Schema,
): Serialiser<Message> {
  checkMethods('library', library, 'fromBinary', 'toBinary');
  checkObject('schema', schema);
  const { fromBinary, toBinary } = library;
  return {
    encode: (message) => toBinary(schema, message as never),
    decode: (body) => fromBinary(schema, body),
  };
}

/** A Builder of FlatBuffers. */
export interface FlatBuffersBuilder {
  asUint8Array(): Uint8Array;
}

/** The root's offset, and that of its vtable: a buffer without them is none. */
const SMALLEST_BUFFER = 8;

/**
 * FlatBuffers: a finished Builder is sent from its own memory, and a message is read where its body lies. The
 * builder must not be cleared until send() has fulfilled.
 * @param ByteBuffer the class of that name, of `flatbuffers`
 * @param rootOf `Monster.getRootAsMonster`, for a table Monster
 */
export function flatBuffers<In, Bytes>(
  ByteBuffer: new (bytes: Uint8Array) => Bytes,
  rootOf: (bytes: Bytes) => In,
): Serialiser<In, FlatBuffersBuilder> {
  checkFunction('ByteBuffer', ByteBuffer);
  checkFunction('rootOf', rootOf);
  return {
    encode: (builder) => builder.asUint8Array(),
    decode(body) {
      // The library looks at nothing before its fields are asked for.
      if (body.length < SMALLEST_BUFFER || body.readUInt32LE() > body.length - 4) throw new Error('no root table');
      return rootOf(new ByteBuffer(body));
    },
  };
}
