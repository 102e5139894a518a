// What is used most on Node's servers, with traffic of its own, on attach().

import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import fastify from 'fastify';
import { attach } from 'spliceway/node';
import { Agent, request } from 'undici';
import { expect, test } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { eventually } from '../support/time.ts';
import { anyPort, kept, portOf } from './support.ts';

const REQUESTS = 200;

test('express, asked by fetch', async () => {
  const app = express()
    .use(express.json())
    .post('/sum', (req, res) => void res.json({ sum: req.body.reduce((a: number, b: number) => a + b), ip: req.ip }));
  const at = kept(attach(await anyPort(), http.createServer(app)));
  const sums = Array.from({ length: REQUESTS }, async (_, i) => {
    const body = JSON.stringify([i, 1]);
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(`http://127.0.0.1:${portOf(at)}/sum`, { method: 'POST', body, headers });
    expect(await response.json()).toEqual({ sum: i + 1, ip: '127.0.0.1' });
  });
  await Promise.all(sums);
  expect((await at.shutdown()).forced).toBe(0);
});

test('fastify, asked by undici', async () => {
  const app = fastify();
  app.get('/:name', async (req) => ({ hello: (req.params as { name: string }).name, ip: req.ip }));
  await app.ready();
  const at = kept(attach(await anyPort(), app.server));
  const dispatcher = kept(new Agent({ connections: 8, pipelining: 4 }));
  const answers = Array.from({ length: REQUESTS }, async (_, i) => {
    const { body } = await request(`http://127.0.0.1:${portOf(at)}/${i}`, { dispatcher });
    expect(await body.json()).toEqual({ hello: `${i}`, ip: '127.0.0.1' });
  });
  await Promise.all(answers);
  expect((await at.shutdown()).forced).toBe(0);
  await app.close();
});

test('fastify with a serverFactory', async () => {
  const app = fastify({ serverFactory: (handler) => http.createServer(handler) });
  app.get('/', async () => 'made elsewhere');
  await app.ready();
  const at = kept(attach(await anyPort(), app.server));
  expect(await (await fetch(`http://127.0.0.1:${portOf(at)}/`)).text()).toBe('made elsewhere');
});

/** An echo of some messages. */
async function echoed(url: string): Promise<void> {
  const client = new WebSocket(url);
  await once(client, 'open');
  for (const message of ['text', Buffer.alloc(70_000, 7)]) {
    const answer = once(client, 'message');
    client.send(message);
    expect(Buffer.compare((await answer)[0], Buffer.from(message))).toBe(0);
  }
  client.close();
  await once(client, 'close');
}

const echo = (socket: WebSocket) =>
  void socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));

test.each(['by itself', 'on an http server'])('ws %s: echoes by the hundred', async (how) => {
  const server = how === 'by itself' ? undefined : http.createServer();
  const sockets = new WebSocketServer(server === undefined ? { noServer: true } : { server }).on('connection', echo);
  const at = kept(attach(await anyPort(), server ?? sockets));
  await Promise.all(Array.from({ length: 100 }, () => echoed(`ws://127.0.0.1:${portOf(at)}/`)));
  await eventually(() => at.connections === 0);
});

test('ws: shutdown() closes its clients with 1001, and what is no WebSocket is told so', async () => {
  const at = kept(attach(await anyPort(), new WebSocketServer({ noServer: true }).on('connection', echo)));
  expect((await fetch(`http://127.0.0.1:${portOf(at)}/`)).status).toBe(426);
  const client = new WebSocket(`ws://127.0.0.1:${portOf(at)}/`);
  await once(client, 'open');
  const closed = once(client, 'close');
  const result = at.shutdown();
  expect((await closed)[0]).toBe(1001);
  expect((await result).forced).toBe(0);
});

test('ws: a client against the protocol ends its own connection', async () => {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 10 }).on('connection', echo);
  const at = kept(attach(await anyPort(), sockets));
  const client = new WebSocket(`ws://127.0.0.1:${portOf(at)}/`);
  await once(client, 'open');
  const closed = once(client, 'close');
  client.send('more than ten bytes');
  expect((await closed)[0]).toBe(1009);
});

test('ws on a server made with `server`: attached by either', async () => {
  const server = http.createServer((_, response) => void response.end('http'));
  const sockets = new WebSocketServer({ server }).on('connection', echo);
  const at = kept(attach(await anyPort(), sockets));
  expect(await (await fetch(`http://127.0.0.1:${portOf(at)}/`)).text()).toBe('http');
  await echoed(`ws://127.0.0.1:${(at.addr as unknown as AddressInfo).port}/`);
});
