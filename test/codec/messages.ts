// One message in the makes of two libraries, as their generators would write it.

import type { Builder, ByteBuffer } from 'flatbuffers';
import protobuf from 'protobufjs';

export interface Person {
  name: string;
  age: number;
}

const schema = 'syntax = "proto3"; message Person { string name = 1; uint32 age = 2; }';

/** A reflected type of protobufjs. */
export const personType = protobuf.parse(schema).root.lookupType('Person');

/** A table of FlatBuffers: `table Person { name: string; age: uint32; }`. */
export class PersonTable {
  constructor(
    readonly at: number,
    readonly bytes: ByteBuffer,
  ) {}

  static getRootAsPerson(bytes: ByteBuffer): PersonTable {
    return new PersonTable(bytes.readInt32(bytes.position()) + bytes.position(), bytes);
  }

  name(): string | null {
    const offset = this.bytes.__offset(this.at, 4);
    return offset === 0 ? null : (this.bytes.__string(this.at + offset) as string);
  }

  age(): number {
    const offset = this.bytes.__offset(this.at, 6);
    return offset === 0 ? 0 : this.bytes.readUint32(this.at + offset);
  }
}

export function buildPerson(builder: Builder, { name, age }: Person): Builder {
  const nameAt = builder.createString(name);
  builder.startObject(2);
  builder.addFieldOffset(0, nameAt, 0);
  builder.addFieldInt32(1, age, 0);
  builder.finish(builder.endObject());
  return builder;
}
