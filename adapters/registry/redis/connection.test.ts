import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { connect } from './connection.ts';

test('a connection that is taken and cut again and again is made in the end', {
  timeout: 20_000,
}, async (t) => {
  let taken = 0;
  let there = false;
  // Like a proxy before a Redis that is away, and then is back.
  const server = createServer((socket) => {
    taken += 1;
    socket.on('error', () => {});
    if (!there) return void socket.destroy();
    socket.on('data', (data) => {
      // RESP: each command is an array.
      for (const _ of data.toString().matchAll(/^\*\d+\r$/gm)) socket.write('+PONG\r\n');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = connect({ kind: 'single', address: { host: '127.0.0.1', port }, db: 0 }, 'test');
  t.after(() => {
    client.disconnect();
    server.close();
  });
  client.on('error', () => {});
  const retried = new Promise<void>((resolve) => {
    server.on('connection', () => taken >= 4 && resolve());
  });
  await retried;
  there = true;
  for (;;) {
    const answer = await client.ping().catch(() => undefined);
    if (answer === 'PONG') return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

test('while connections are cut at once, the next one is made ever later', { timeout: 20_000 }, async (t) => {
  const times: number[] = [];
  const server = createServer((socket) => {
    times.push(performance.now());
    socket.on('error', () => {});
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = connect({ kind: 'single', address: { host: '127.0.0.1', port }, db: 0 }, 'test');
  t.after(() => {
    client.disconnect();
    server.close();
  });
  client.on('error', () => {});
  await new Promise<void>((resolve) => server.on('connection', () => times.length >= 6 && resolve()));
  const [first = 0, ...rest] = times;
  assert.ok((rest.at(-1) ?? 0) - first > 700, `six within ${(rest.at(-1) ?? 0) - first} ms`);
});
