// What rpc-server.mjs and rpc-client.mjs agree on: the messages, and which command calls what.

import protobuf from 'protobufjs';
import { protobufJs } from 'spliceway/codec';

const { root } = protobuf.parse(`
  syntax = "proto3";

  message Order { string product = 1; uint32 count = 2; }
  message Offer { uint32 cents = 1; }
  message Word { string text = 1; }
`);
const message = (name) => protobufJs(root.lookupType(name));

/** The methods: a command for each, and what it takes and gives. */
export const methods = {
  price: { command: 1, request: message('Order'), response: message('Offer') },
  reverse: { command: 2, request: message('Word'), response: message('Word') },
};

/** Functions of those names, which ask whoever is at the other end of a FramedConn. */
export function clientOf(framed, timeout = 5000) {
  const call = ({ command, request, response }) => {
    return async (message) => {
      const deadline = Date.now() + timeout;
      return response.decode(await framed.request(command, request.encode(message), { deadline }));
    };
  };
  return Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, call(method)]));
}

/** Has functions of those names answer what is asked at the other end. */
export function answer(framed, implementations) {
  const byCommand = new Map(Object.entries(methods).map(([name, method]) => [method.command, { name, ...method }]));
  framed.onRequest(async ({ command, body }) => {
    const method = byCommand.get(command);
    if (method === undefined) throw new Error('no such method');
    return method.response.encode(await implementations[method.name](method.request.decode(body)));
  });
}
