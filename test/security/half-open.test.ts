import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { makeCertificate } from '../signaling/certificate.ts';
import { TestClient, until, within } from '../signaling/client.ts';
import { startServer, type TestDeps, type TestServer, type TestSettings } from '../signaling/server.ts';

/** Long enough for a busy machine's own delays, short enough to wait for. */
const HANDSHAKE_MS = 400;
const CLOSE_BOUND_MS = 4000;

interface Peer {
  readonly socket: Socket;
  /** All that the server sent; resolves when it closed. Whatever it does, this end never closes. */
  readonly ended: Promise<string>;
  /** So far. */
  text(): string;
}

function startShort(t: TestContext, settings: TestSettings = {}, deps: TestDeps = {}): Promise<TestServer> {
  return startServer(t, { handshakeTimeoutMs: HANDSHAKE_MS, ...settings }, deps);
}

async function peer({ signaling }: TestServer, words = ''): Promise<Peer> {
  const socket = connectTcp({ port: signaling.ports[0] ?? 0, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  return listen(socket, words);
}

function listen(socket: Socket, words: string): Peer {
  let text = '';
  socket.on('data', (data) => {
    text += data;
  });
  socket.on('error', () => undefined);
  socket.write(words);
  const ended = new Promise<string>((resolve) => {
    socket.once('end', () => resolve(text));
    socket.once('close', () => resolve(text));
  });
  return { socket, ended, text: () => text };
}

async function count({ metrics }: TestServer, limit: string): Promise<number> {
  const line = new RegExp(`^millrace_signaling_refused_total\\{limit="${limit}"\\} (\\d+)$`, 'm');
  return Number(line.exec(await metrics.metrics())?.[1] ?? 0);
}

/** Whether the server has let go of the connection too: what it is sent is then refused. */
async function gone({ socket }: Peer): Promise<void> {
  await until('the server has let go', () => {
    if (!socket.destroyed && socket.writable) socket.write('x');
    return socket.destroyed;
  });
}

test('a connection that says nothing is closed', async (t) => {
  const server = await startShort(t);
  const silent = await peer(server);
  await within('its end', silent.ended, CLOSE_BOUND_MS);
  assert.equal(await count(server, 'handshake_time'), 1);
  await gone(silent);
});

test('headers that never end get 408, however steadily they come', async (t) => {
  const server = await startShort(t);
  const slow = await peer(server, 'GET / HTTP/1.1\r\nHost: localhost\r\n');
  const dripping = setInterval(() => slow.socket.writable && slow.socket.write('X-A: b\r\n'), 50);
  t.after(() => clearInterval(dripping));
  assert.match(await within('its end', slow.ended, CLOSE_BOUND_MS), /^HTTP\/1\.1 408 /);
  clearInterval(dripping);
  assert.equal(await count(server, 'handshake_time'), 1);
  await gone(slow);
});

test('a body that never ends is given up', async (t) => {
  const server = await startShort(t);
  const slow = await peer(
    server,
    'POST /whip/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\nContent-Length: 1000\r\n\r\nv=0',
  );
  const dripping = setInterval(() => slow.socket.writable && slow.socket.write('\r\n'), 50);
  t.after(() => clearInterval(dripping));
  const answer = await within('its end', slow.ended, CLOSE_BOUND_MS);
  assert.match(answer, /^HTTP\/1\.1 4\d\d /);
  assert.equal(server.media.called('publish').length, 0);
});

test('a TLS handshake that does not begin, or not end, is cut', async (t) => {
  const tls = await makeCertificate('localhost');
  const server = await startShort(t, { listeners: [{ host: '127.0.0.1', port: 0, tls }] });
  const silent = await peer(server);
  // The record's header of a ClientHello (RFC 8446 section 5.1), and nothing more.
  const half = await peer(server, '\x16\x03\x01\x02\x00');
  await within('the end of the silent one', silent.ended, CLOSE_BOUND_MS);
  await within('the end of the other', half.ended, CLOSE_BOUND_MS);
  assert.equal(await count(server, 'handshake_time'), 2);
});

test('a TLS connection that asks for nothing is closed, and TLS 1.1 is refused', async (t) => {
  const tls = await makeCertificate('localhost');
  const server = await startShort(t, { listeners: [{ host: '127.0.0.1', port: 0, tls }] });
  const port = server.signaling.ports[0] ?? 0;
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  await within('its end', listen(socket, '').ended, CLOSE_BOUND_MS);
  const old = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.1' });
  await assert.rejects(once(old, 'secureConnect'));
});

test('a refused handshake is closed by the server, though the client keeps its half open', async (t) => {
  const server = await startServer(t);
  const upgrade =
    'Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
  const elsewhere = await peer(server, `GET /other HTTP/1.1\r\n${upgrade}\r\n`);
  assert.match(await within('the answer', elsewhere.ended), /^HTTP\/1\.1 404 /);
  await gone(elsewhere);
  const foreign = await peer(server, `GET / HTTP/1.1\r\nOrigin: https://evil.example\r\n${upgrade}\r\n`);
  assert.match(await within('the answer', foreign.ended), /^HTTP\/1\.1 403 /);
  await gone(foreign);
});

test('headers above 32 KiB or 100 in number get 431, with and without an upgrade', async (t) => {
  const server = await startServer(t);
  const many = Array.from({ length: 100 }, (_, index) => `X-${index}: 1\r\n`).join('');
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  for (const headers of [`X: ${'y'.repeat(33_000)}\r\n`, many, upgrade + many]) {
    const { ended, socket } = await peer(server, `GET / HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
    assert.match(await within('the answer', ended), /^HTTP\/1\.1 431 /);
    socket.destroy();
  }
  assert.equal(await count(server, 'headers'), 3);
  const enough = many.split('\r\n').slice(0, 98).join('\r\n');
  const fine = await peer(
    server,
    `GET /api/v1/streams HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${enough}\r\n\r\n`,
  );
  assert.match(await within('the answer', fine.ended), /^HTTP\/1\.1 200 /);
});

test('a body above its limit gets 413, by its length or by what comes', async (t) => {
  const server = await startServer(t);
  const head = 'POST /whip/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\n';
  const announced = await peer(server, `${head}Content-Length: 131073\r\n\r\n`);
  await until('the answer', () => announced.text().startsWith('HTTP/1.1 413 '));
  const chunked = await peer(server, `${head}Transfer-Encoding: chunked\r\n\r\n`);
  for (let count = 0; count < 3; count += 1) chunked.socket.write(`c000\r\n${'x'.repeat(0xc000)}\r\n`);
  await until('the answer', () => chunked.text().startsWith('HTTP/1.1 413 '));
  assert.equal(server.media.called('publish').length, 0);
  for (const { socket } of [announced, chunked]) socket.destroy();
});

test('a response that nobody reads is given up', async (t) => {
  const body = Buffer.alloc(64 * 1024 * 1024, 'x');
  const big = { body, type: 'text/plain', etag: '"big"' };
  const server = await startShort(t, { requestTimeoutMs: 200 }, { assets: new Map([['/big', big]]) });
  const socket = connectTcp({ port: server.signaling.ports[0] ?? 0, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  socket.write('GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n');
  // This span of not reading is what the test is about.
  await new Promise((resolve) => setTimeout(resolve, 4 * (200 + HANDSHAKE_MS)));
  let bytes = 0;
  socket.on('data', (data) => {
    bytes += data.length;
  });
  await within('its end', once(socket, 'close'));
  assert.ok(bytes < body.length, `${bytes} bytes came`);
});

test('an idle WebSocket outlives every time-out of HTTP, with and without TLS', async (t) => {
  const tls = await makeCertificate('localhost');
  const server = await startShort(t, {
    listeners: [
      { host: '127.0.0.1', port: 0, tls },
      { host: '127.0.0.1', port: 0 },
    ],
    requestTimeoutMs: 100,
  });
  const [secure, plain] = server.signaling.ports;
  const clients = await Promise.all([
    TestClient.connect(`wss://127.0.0.1:${secure}/`, { rejectUnauthorized: false }),
    TestClient.connect(`ws://127.0.0.1:${plain}/`),
  ]);
  // This span of idleness is what the test is about.
  await new Promise((resolve) => setTimeout(resolve, 3 * (100 + HANDSHAKE_MS)));
  for (const client of clients) assert.equal((await client.heartbeat()).err, 0);
});
