// The structure that serialisers are measured with, about 1 KiB of it, in the makes of each of them. Each has encode(order),
// bytes of it, and total(bytes), which reads every field and comes to the same number in all of them.

import { Builder, ByteBuffer } from 'flatbuffers';
import { pack, unpack } from 'msgpackr';
import protobuf from 'protobufjs';
import { flatBuffers, json, messagePack, protobufJs } from 'spliceway/codec';

const ITEMS = 12;

export const order = {
  id: 123_456_789,
  customer: 'Wilhelmina Oppenheimer-Schultz',
  address: '221b Example Street, 12345 Somewhere near the Sea',
  paid: true,
  note: 'Please leave it with the neighbours, who are at home until six. '.repeat(4),
  items: Array.from({ length: ITEMS }, (_, i) => ({
    product: `product number ${1000 + i * 37}, in blue or green`,
    count: i + 1,
    cents: 1999 + i * 250,
  })),
};

/** Of a value as JSON and others give it. */
function totalOf({ id, customer, address, paid, note, items }) {
  let total = id + customer.length + address.length + note.length + (paid ? 1 : 0);
  for (const { product, count, cents } of items) total += product.length + count * cents;
  return total;
}

function values({ encode, decode }) {
  return { encode, total: (bytes) => totalOf(decode(bytes)) };
}

const { root } = protobuf.parse(`
  syntax = "proto3";
  message Item { string product = 1; uint32 count = 2; uint32 cents = 3; }
  message Order {
    uint32 id = 1; string customer = 2; string address = 3; bool paid = 4; string note = 5; repeated Item items = 6;
  }
`);

// What flatc writes for `table Item { product: string; count: uint32; cents: uint32; }` and a table Order alike.

const [FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH] = [4, 6, 8, 10, 12, 14];

class Table {
  constructor(at, bytes) {
    this.at = at;
    this.bytes = bytes;
  }
  offset(field) {
    return this.bytes.__offset(this.at, field);
  }
  string(field) {
    return this.bytes.__string(this.at + this.offset(field));
  }
  uint32(field) {
    return this.bytes.readUint32(this.at + this.offset(field));
  }
}

function total(table) {
  const { bytes, at } = table;
  const sum = table.uint32(FIRST) + table.string(SECOND).length + table.string(THIRD).length;
  let all = sum + (bytes.readInt8(at + table.offset(FOURTH)) === 0 ? 0 : 1) + table.string(FIFTH).length;
  const items = at + table.offset(SIXTH);
  for (let i = 0; i < bytes.__vector_len(items); i++) {
    const item = new Table(bytes.__indirect(bytes.__vector(items) + 4 * i), bytes);
    all += item.string(FIRST).length + item.uint32(SECOND) * item.uint32(THIRD);
  }
  return all;
}

function buildItem(builder, { product, count, cents }) {
  const at = builder.createString(product);
  builder.startObject(3);
  builder.addFieldOffset(0, at, 0);
  builder.addFieldInt32(1, count, 0);
  builder.addFieldInt32(2, cents, 0);
  return builder.endObject();
}

function build(builder, { id, customer, address, paid, note, items }) {
  builder.clear();
  const offsets = items.map((item) => buildItem(builder, item));
  builder.startVector(4, offsets.length, 4);
  for (const offset of offsets.reverse()) builder.addOffset(offset);
  const itemsAt = builder.endVector();
  const [customerAt, addressAt, noteAt] = [customer, address, note].map((text) => builder.createString(text));
  builder.startObject(6);
  builder.addFieldInt32(0, id, 0);
  builder.addFieldOffset(1, customerAt, 0);
  builder.addFieldOffset(2, addressAt, 0);
  builder.addFieldInt8(3, Number(paid), 0);
  builder.addFieldOffset(4, noteAt, 0);
  builder.addFieldOffset(5, itemsAt, 0);
  builder.finish(builder.endObject());
  return builder;
}

function flat() {
  const getRoot = (bytes) => new Table(bytes.readInt32(bytes.position()) + bytes.position(), bytes);
  const { encode, decode } = flatBuffers(ByteBuffer, getRoot);
  const builder = new Builder(4096);
  return { encode: (value) => encode(build(builder, value)), total: (bytes) => total(decode(bytes)) };
}

export const makes = {
  json: () => values(json()),
  msgpackr: () => values(messagePack({ pack, unpack })),
  protobufjs: () => values(protobufJs(root.lookupType('Order'))),
  flatbuffers: flat,
};

export const expected = totalOf(order);
