import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { CLOSE_CODES } from '../../core/protocol/index.ts';
import { makeCertificate } from './certificate.ts';
import { TestClient, until, within } from './client.ts';
import { startServer } from './server.ts';

test('wss works, and a new certificate is used without a restart', async (t) => {
  const first = await makeCertificate('first.test');
  const { connect, signaling } = await startServer(t, {
    listeners: [{ host: '127.0.0.1', port: 0, tls: first }],
  });
  const client = await connect('', { rejectUnauthorized: false });
  assert.equal((await client.publish('a')).err, 0);
  assert.equal(await certificateName(signaling.ports[0]), 'first.test');
  signaling.setCertificate(0, await makeCertificate('second.test'));
  assert.equal(await certificateName(signaling.ports[0]), 'second.test');
  assert.equal((await client.heartbeat()).err, 0);
});

async function certificateName(port = 0): Promise<string | undefined> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return Array.isArray(name) ? name[0] : name;
}

test('several addresses are served at once, by the same sessions', async (t) => {
  const tls = await makeCertificate('localhost');
  const { signaling } = await startServer(t, {
    listeners: [
      { host: '127.0.0.1', port: 0 },
      { host: '127.0.0.1', port: 0, tls },
    ],
  });
  const [plain, secure] = signaling.ports;
  const first = await TestClient.connect(`ws://127.0.0.1:${plain}/`);
  const { session } = await first.publish('a');
  const second = await TestClient.connect(`wss://127.0.0.1:${secure}/`, { rejectUnauthorized: false });
  assert.equal((await second.heartbeat({ session })).session, session);
  assert.equal((await first.end()).code, CLOSE_CODES.session_taken_over);
});

test('a page of another site may not connect unless its origin is listed', async (t) => {
  const { connect, url } = await startServer(t, { allowedOrigins: ['https://app.example'] });
  const host = new URL(url).host;
  await assert.rejects(connect('', { origin: 'https://evil.example' }), /403/);
  await assert.rejects(connect('', { origin: 'null' }), /403/);
  await assert.rejects(connect('', { origin: `http://${host}.evil.example` }), /403/);
  const rebound = { origin: 'http://evil.example:80', headers: { Host: 'evil.example:80' } };
  await assert.rejects(connect('', rebound), /403/);
  await connect('', { origin: `http://${host}` });
  await connect('', { origin: 'https://app.example' });
  await connect();
});

test('one connection too many is closed with 1013, and there is room again when one leaves', async (t) => {
  const { connect } = await startServer(t, { limits: { connections: 2 } });
  const first = await connect();
  await connect();
  const third = await connect();
  assert.equal((await third.end()).code, CLOSE_CODES.try_again_later);
  await first.leave();
  const fourth = await connect();
  assert.equal((await fourth.heartbeat()).err, 0);
});

test('what is not HTTP gets an answer and no more', async (t) => {
  const { signaling } = await startServer(t);
  const socket = connectTcp(signaling.ports[0] ?? 0, '127.0.0.1');
  socket.write('nonsense\r\n\r\n');
  const answer = await within(
    'an answer',
    new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString()))),
  );
  assert.match(answer, /^HTTP\/1.1 400 /);
});

test('an address in use is reported by start', async (t) => {
  const { signaling } = await startServer(t);
  const port = signaling.ports[0] ?? 0;
  await assert.rejects(startServer(t, { listeners: [{ host: '127.0.0.1', port }] }), { code: 'EADDRINUSE' });
});

test('at the end sockets close with 1012, and it is over within 2 s', async (t) => {
  const { connect, signaling, media } = await startServer(t);
  const clients = await Promise.all([connect(), connect(), connect()]);
  const silent = await connect('', { autoPong: false });
  silent.socket.pause();
  media.hold('publish');
  clients[0]?.send('stream.publish', 'a', { sdp: 'offer' });
  await until('it is called', () => media.called('publish').length === 1);
  const startMs = performance.now();
  const closed = signaling.close();
  for (const client of clients) assert.equal((await client.end()).code, CLOSE_CODES.service_restart);
  await closed;
  assert.ok(performance.now() - startMs < 2000);
  silent.socket.terminate();
  await assert.rejects(connect());
});
