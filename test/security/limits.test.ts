import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { CLOSE_CODES, ERROR_CODES } from '../../core/protocol/index.ts';
import { TestClient, until, within } from '../signaling/client.ts';
import { startServer, type TestServer } from '../signaling/server.ts';

const THIS_MACHINE = { address: '127.0.0.0', prefix: 8 };

async function refused({ metrics }: TestServer, limit: string): Promise<number> {
  const line = new RegExp(`^millrace_signaling_refused_total\\{limit="${limit}"\\} (\\d+)$`, 'm');
  return Number(line.exec(await metrics.metrics())?.[1] ?? 0);
}

test('requests above the rate get too_many with the rate, and are counted', async (t) => {
  const server = await startServer(t, { limits: { requestsPerSecond: 2, badMessages: 100 } });
  const client = await server.connect();
  for (let count = 0; count < 6; count += 1) assert.equal((await client.heartbeat({ id: count })).err, 0);
  const reply = await client.heartbeat({ id: 'late' });
  assert.equal(reply.err, ERROR_CODES.too_many);
  assert.equal(reply.id, 'late');
  assert.match(reply.err_msg, /more than 2 requests a second/);
  assert.equal(await refused(server, 'request_rate'), 1);
  await until('there is room again', async () => (await client.heartbeat()).err === 0);
});

test('a message counts as a request for each 16 KiB that it begins, whatever it asks for', async (t) => {
  const server = await startServer(t, { limits: { requestsPerSecond: 2, badMessages: 100 } });
  const client = await server.connect();
  const offer = 'x'.repeat(40 * 1024);
  const replies = await Promise.all(
    [1, 2, 3].map((id) => {
      client.send('stream.play', 'nobody', { sdp: offer }, { id });
      return client.next();
    }),
  );
  const codes = new Map(replies.map(({ id, err }) => [id, err]));
  assert.equal(codes.get(1), ERROR_CODES.stream_not_found);
  assert.equal(codes.get(2), ERROR_CODES.stream_not_found);
  assert.equal(codes.get(3), ERROR_CODES.too_many);
  assert.match(replies.find(({ id }) => id === 3)?.err_msg ?? '', /16 KiB/);
});

test('a message that costs more than the whole rate is read all the same when it comes alone', async (t) => {
  const { connect } = await startServer(t, { limits: { requestsPerSecond: 1 } });
  const client = await connect();
  client.send('stream.play', 'nobody', { sdp: 'x'.repeat(130_000) }, { id: 1 });
  assert.equal((await client.next()).err, ERROR_CODES.stream_not_found);
});

test('a client that goes on above the rate is closed with 4003; another one is served', async (t) => {
  const server = await startServer(t, { limits: { requestsPerSecond: 10, badMessages: 5 } });
  const [flood, other] = await Promise.all([server.connect(), server.connect()]);
  for (let count = 0; count < 200; count += 1) flood.send('stream.heartbeat', '', {}, { id: count });
  assert.equal((await flood.end()).code, CLOSE_CODES.too_many_bad_messages);
  assert.equal((await other.heartbeat()).err, 0);
  assert.equal(await refused(server, 'bad_messages'), 1);
});

test('a connection at the usual rate never meets the limit', async (t) => {
  const { connect } = await startServer(t, { limits: { requestsPerSecond: 100 } });
  const client = await connect();
  for (let count = 0; count < 50; count += 1) assert.equal((await client.heartbeat()).err, 0);
});

test('behind a trusted proxy each client address has its own limit; one more gets 429', async (t) => {
  const server = await startServer(t, {
    trustedProxies: [THIS_MACHINE],
    limits: { connectionsPerAddress: 2 },
  });
  const from = (address: string) => server.connect('', { headers: { 'X-Forwarded-For': address } });
  const first = await from('203.0.113.5, 192.0.2.7');
  await from('192.0.2.7, 127.0.0.9');
  await assert.rejects(from('198.51.100.9, 192.0.2.7'), /429/);
  assert.equal(await refused(server, 'connections_per_address'), 1);
  const handshakes = 'millrace_signaling_refused_handshakes_total{code="429"} 1\n';
  assert.ok((await server.metrics.metrics()).includes(handshakes));
  await from('192.0.2.8');
  await first.leave();
  await until('there is room again', () =>
    from('192.0.2.7').then(
      () => true,
      () => false,
    ),
  );
});

test('without a trusted proxy X-Forwarded-For counts for nothing, and loopback has no limit', async (t) => {
  const server = await startServer(t, { limits: { connectionsPerAddress: 1 } });
  for (let count = 0; count < 3; count += 1) {
    await server.connect('', { headers: { 'X-Forwarded-For': '192.0.2.7' } });
  }
});

const outside = Object.values(networkInterfaces())
  .flat()
  .find((entry) => entry?.family === 'IPv4' && !entry.internal)?.address;

test('an address of the network has a limit of WebSockets, and of TCP connections that say nothing', {
  skip: outside === undefined && 'this machine has loopback only',
}, async (t) => {
  const host = outside ?? '';
  const server = await startServer(t, {
    listeners: [{ host, port: 0 }],
    limits: { connectionsPerAddress: 3 },
  });
  const port = server.signaling.ports[0] ?? 0;
  const url = `ws://${host}:${port}/`;
  const clients = await Promise.all([1, 2, 3].map(() => TestClient.connect(url)));
  await assert.rejects(TestClient.connect(url), /429/);
  await Promise.all(clients.map((client) => client.leave()));

  const silent = Array.from({ length: 3 + 64 }, () => connectTcp(port, host));
  t.after(() => silent.forEach((socket) => void socket.destroy()));
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  const more = connectTcp(port, host).on('error', () => undefined);
  await within('its end', once(more, 'close'));
  assert.equal(await refused(server, 'tcp_connections_per_address'), 1);
  silent.pop()?.destroy();
  await until('there is room again', () =>
    TestClient.connect(url).then(
      () => true,
      () => false,
    ),
  );
});

test('all TCP connections together have a limit too', async (t) => {
  const server = await startServer(t, { limits: { connections: 1 } });
  const port = server.signaling.ports[0] ?? 0;
  const sockets = Array.from({ length: 1 + 512 + 20 }, () =>
    connectTcp(port, '127.0.0.1').on('error', () => undefined),
  );
  t.after(() => sockets.forEach((socket) => void socket.destroy()));
  await until('some are dropped', async () => (await refused(server, 'tcp_connections')) === 20);
});

test('connections above the limit, messages above their size and unread replies are counted by limit', async (t) => {
  const server = await startServer(t, {
    limits: { connections: 1, messageBytes: 1000, sendBufferBytes: 64 * 1024, requestsPerSecond: 100_000 },
  });
  const first = await server.connect();
  assert.equal((await (await server.connect()).end()).code, CLOSE_CODES.try_again_later);
  assert.equal(await refused(server, 'connections'), 1);
  first.socket.send('x'.repeat(1001));
  assert.equal((await first.end()).code, CLOSE_CODES.message_too_large);
  assert.equal(await refused(server, 'message_bytes'), 1);
  const slow = await server.connect();
  slow.socket.pause();
  const text = JSON.stringify({ version: '1.0', method: 'stream.heartbeat', stream: 'y'.repeat(900), id: 1 });
  await until('it is closed', async () => {
    for (let count = 0; count < 60; count += 1) slow.socket.send(text);
    return (await refused(server, 'send_buffer')) === 1;
  });
  assert.ok((await server.metrics.metrics()).includes('millrace_signaling_closes_total{code="1009"} 1\n'));
  slow.socket.terminate();
});

const UPGRADE =
  'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';

test('when very many come above the limit at once, further handshakes get 503', async (t) => {
  const server = await startServer(t, { limits: { connections: 1 } });
  const port = server.signaling.ports[0] ?? 0;
  await server.connect();
  const answers: string[] = [];
  const rush = Array.from({ length: 100 }, () => {
    // None of them confirms the close that it is sent.
    const socket = connectTcp(port, '127.0.0.1').on('error', () => undefined);
    socket.once('data', (data) => answers.push(data.toString().slice(0, 12)));
    socket.write(UPGRADE);
    return socket;
  });
  t.after(() => rush.forEach((socket) => void socket.destroy()));
  await until('all are answered', () => answers.length === rush.length);
  assert.ok(answers.includes('HTTP/1.1 101'));
  assert.ok(answers.includes('HTTP/1.1 503'));
  assert.equal(await refused(server, 'connections'), rush.length);
});

test('requests above those that may wait are counted', async (t) => {
  const server = await startServer(t, { limits: { queuedRequests: 2 } });
  server.media.hold('publish');
  const client = await server.connect();
  for (const stream of ['a', 'b', 'c'])
    client.send('stream.publish', stream, { sdp: 'offer' }, { id: stream });
  const reply = await client.next();
  assert.deepEqual([reply.id, reply.err], ['c', ERROR_CODES.too_many]);
  assert.equal(await refused(server, 'queued_requests'), 1);
});

test('an address that asks too often by HTTP gets 429, and others are served', async (t) => {
  const server = await startServer(t, {
    trustedProxies: [THIS_MACHINE],
    limits: { httpRequestsPerSecond: 2 },
  });
  const ask = async (address: string, path = '/api/v1/streams', method = 'GET') => {
    const response = await fetch(server.http + path, { method, headers: { 'X-Forwarded-For': address } });
    await response.body?.cancel();
    return response;
  };
  for (let count = 0; count < 6; count += 1) assert.equal((await ask('192.0.2.7')).status, 200);
  const late = await ask('192.0.2.7', '/whip/a', 'POST');
  assert.equal(late.status, 429);
  assert.equal(late.headers.get('retry-after'), '1');
  assert.equal(late.headers.get('content-type'), 'application/problem+json');
  assert.equal((await ask('192.0.2.8')).status, 200);
  assert.ok((await refused(server, 'http_rate')) >= 1);
  await until('there is room again', async () => (await ask('192.0.2.7')).status === 200);
});
