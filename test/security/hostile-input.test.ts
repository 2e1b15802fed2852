import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { prettyLine } from '../../cli/log.ts';
import { SessionListSchema, StreamDetailSchema, StreamListSchema } from '../../core/api/index.ts';
import {
  CLOSE_CODES,
  ERROR_CODES,
  newSessionId,
  publicSessionId,
  type SessionId,
} from '../../core/protocol/index.ts';
import { makeCertificate } from '../signaling/certificate.ts';
import { until } from '../signaling/client.ts';
import { startServer } from '../signaling/server.ts';

/** Allowed as names, each a trap for something that takes a name for more than that. */
const TRICKY_NAMES: readonly string[] = [
  '../../../etc/passwd',
  '..',
  '.',
  '/',
  '//sessions',
  '..\\..\\windows',
  '%2e%2e%2f',
  '%00',
  'a?after=b#c',
  '?limit=1',
  'a b=c msg=forged',
  '","msg":"forged',
  "'; DROP TABLE streams; --",
  '$(reboot)',
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
  'toString',
  'é',
  'e\u0301',
  '直播间',
  '🎥'.repeat(128),
  '👩‍👩‍👧‍👦',
  '\u202etxt.exe',
  'مرحبا',
  '\u00a0',
  '\ufeff',
  '*',
  'x'.repeat(128),
];

const REFUSED_NAMES: readonly (readonly [string, number])[] = [
  ['', ERROR_CODES.missing_field],
  ['a\nb', ERROR_CODES.invalid_field],
  ['a\r\nSet-Cookie: x', ERROR_CODES.invalid_field],
  ['a\u0000', ERROR_CODES.invalid_field],
  ['\u001b[2J', ERROR_CODES.invalid_field],
  ['\u009b31m', ERROR_CODES.invalid_field],
  ['\u007f', ERROR_CODES.invalid_field],
  ['a\u2028b', ERROR_CODES.invalid_field],
  ['\ud83c', ERROR_CODES.invalid_field],
  ['🎥'.repeat(129), ERROR_CODES.invalid_field],
];

/** As it is written: fetch would tidy the path up. */
function rawGet(http: string, path: string): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(http);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path }, async (response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      resolve({ status: response.statusCode ?? 0, body });
    })
      .on('error', reject)
      .end();
  });
}

test('a stream’s name is a name and nothing else: over wss, in /api/v1 and in the log', async (t) => {
  const tls = await makeCertificate('localhost');
  const listeners = [
    { host: '127.0.0.1', port: 0, tls },
    { host: '127.0.0.1', port: 0 },
  ];
  const { connect, signaling, media, logs } = await startServer(t, { listeners });
  const http = `http://127.0.0.1:${signaling.ports[1]}`;
  const client = await connect('', { rejectUnauthorized: false });
  for (const name of TRICKY_NAMES) {
    const reply = await client.publish(name);
    assert.equal(reply.err, 0, `${JSON.stringify(name)}: ${reply.err_msg}`);
    assert.equal(reply.stream, name);
  }
  assert.equal(media.streams.size, TRICKY_NAMES.length);
  const list = StreamListSchema.parse(await (await fetch(`${http}/api/v1/streams?limit=100`)).json());
  assert.deepEqual(list.streams.map(({ name }) => name).sort(), [...TRICKY_NAMES].sort());
  for (const name of TRICKY_NAMES) {
    const { status, body } = await rawGet(http, `/api/v1/streams/${encodeURIComponent(name)}`);
    // A client library may leave `.` and `..` as they are; they are names here all the same.
    assert.equal(status, 200, JSON.stringify(name));
    assert.equal(StreamDetailSchema.parse(JSON.parse(body)).name, name);
  }
  for (const record of logs) {
    const line = prettyLine(JSON.stringify(record));
    assert.doesNotMatch(line.slice(0, -1), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    assert.doesNotMatch(line.replace(/"(\\.|[^"\\])*"/g, '""'), / msg=/);
  }
});

test('names that cannot be are refused over wss and in /api/v1, and open nothing', async (t) => {
  const { connect, http, media } = await startServer(t, { limits: { badMessages: 100 } });
  const client = await connect();
  for (const [name, code] of REFUSED_NAMES) {
    const reply = await client.publish(name);
    assert.equal(reply.err, code, JSON.stringify(name));
    const encoded = Buffer.from(name).reduce(
      (text, byte) => `${text}%${byte.toString(16).padStart(2, '0')}`,
      '',
    );
    if (name === '' || name === '\ud83c') continue;
    assert.equal((await rawGet(http, `/api/v1/streams/${encoded}`)).status, 400, JSON.stringify(name));
  }
  assert.equal((await rawGet(http, '/api/v1/streams/%ed%a0%bc')).status, 400);
  assert.equal(media.streams.size, 0);
});

test('a path leads to what it says, and out of nothing', async (t) => {
  const { connect, http } = await startServer(t);
  await (await connect()).publish('a');
  for (const path of [
    '/api/v1/streams/../sessions',
    '/api/v1/streams/a/../a',
    '/api/v1//streams/a',
    '/api/v1/streams/a/',
    '/api/v1/streams/a%2f..%2fa',
    '/api/../api/v1/streams/a',
    '/api/v1/%73treams%2fa',
    '//api/v1/streams/a',
    '/whip/../api/v1/sessions',
  ]) {
    const { status } = await rawGet(http, path);
    assert.ok([400, 404, 405].includes(status), `${path}: ${status}`);
  }
  assert.equal((await rawGet(http, '/api/v1/streams/a')).status, 200);
});

test('no field of a message reaches a prototype', async (t) => {
  const { connect, http } = await startServer(t);
  const client = await connect();
  const data = '{"sdp":"offer","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
  client.socket.send(
    `{"version":"1.0","method":"stream.publish","stream":"__proto__","session":"","data":${data},"__proto__":{"polluted":1,"token":"x"}}`,
  );
  assert.equal((await client.next()).err, 0);
  assert.equal((await client.play('constructor')).err, ERROR_CODES.stream_not_found);
  assert.equal((await fetch(`${http}/api/v1/streams?__proto__=1&constructor=2`)).status, 200);
  assert.equal('polluted' in {}, false);
});

test('wide, deep and repetitive JSON up to the size limit is answered, while another client is served', async (t) => {
  const { connect } = await startServer(t, { limits: { badMessages: 1000 } });
  const [bomber, other] = await Promise.all([connect(), connect()]);
  const head = '{"version":"1.0","method":"stream.heartbeat","session":"","id":1';
  const limit = 256 * 1024;
  const wide = (item: string, close: string) =>
    `${head},"data":{"x":[${item}${`,${item}`.repeat(Math.floor((limit - 200) / (item.length + 1)))}]${close}`;
  const members = Array.from({ length: 18_000 }, (_, index) => `"m${index}":0`).join(',');
  const bombs: readonly (readonly [string, number])[] = [
    [wide('0', '}}'), 0],
    [wide('{}', '}}'), 0],
    [wide('[[[]]]', '}}'), 0],
    [wide('"\\u0000"', '}}'), 0],
    [`${head},"data":{${members}}}`, 0],
    [`${head},${members}}`, 0],
    [wide('0', ''), ERROR_CODES.malformed],
    ['['.repeat(limit), ERROR_CODES.malformed],
    [`{"a":`.repeat(50_000), ERROR_CODES.malformed],
    [`${'{"data":'.repeat(31)}${'9'.repeat(200_000)}${'}'.repeat(31)}`, ERROR_CODES.missing_field],
    [`${head},"max_bitrate":1e999999999}`, 0],
    [`"${'\\ud800'.repeat(40_000)}"`, ERROR_CODES.malformed],
  ];
  for (const [bomb, expected] of bombs) {
    assert.ok(Buffer.byteLength(bomb) <= limit, `${bomb.length}`);
    bomber.socket.send(bomb);
    const startMs = performance.now();
    assert.equal((await other.heartbeat()).err, 0);
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs < 1000, `another client waited ${Math.round(tookMs)} ms for ${bomb.slice(0, 80)}`);
    assert.equal((await bomber.next()).err, expected, bomb.slice(0, 80));
  }
});

test('compression is never agreed on, and a compressed frame ends its connection', async (t) => {
  const { connect } = await startServer(t);
  const client = await connect('', { perMessageDeflate: true });
  assert.equal(client.socket.extensions, '');
  // RSV1, which only permessage-deflate gives a meaning (RFC 7692 section 6): text, masked, of length 0.
  const raw = (client.socket as unknown as { _socket: { write(data: Buffer): void } })._socket;
  raw.write(Buffer.from([0b1100_0001, 0x80, 0, 0, 0, 0]));
  assert.equal((await client.end()).code, 1002);
});

test('compressed bodies are not unpacked', async (t) => {
  const { http, media } = await startServer(t);
  const response = await fetch(`${http}/whip/a`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/sdp', 'Content-Encoding': 'gzip' },
    body: new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
  });
  assert.ok(response.status >= 400 && response.status < 500, `${response.status}`);
  assert.equal(media.streams.size, 0);
});

test('guessed, ended and public session ids are answered alike, and say nothing of what exists', async (t) => {
  const { connect, http, signaling } = await startServer(t);
  const owner = await connect();
  const { session } = await owner.publish('a');
  const ended = await connect();
  const { session: endedSession } = await ended.publish('b');
  const endedId = publicSessionId(endedSession as SessionId);
  assert.equal((await fetch(`${http}/api/v1/sessions/${endedId}`, { method: 'DELETE' })).status, 204);
  assert.equal((await ended.end()).code, CLOSE_CODES.session_ended);
  const one = session.at(0) === 'A' ? 'B' : 'A';
  const guesses = [
    newSessionId((count) => crypto.getRandomValues(new Uint8Array(count))),
    `${one}${session.slice(1)}`,
    endedSession,
    'A'.repeat(22),
  ];
  const thief = await connect();
  const answers = new Set<string>();
  for (const guess of guesses) {
    const { err, err_msg } = await thief.publish('a', 'offer', { session: guess });
    assert.equal(err, ERROR_CODES.unknown_session);
    answers.add(err_msg);
  }
  assert.equal(answers.size, 1);
  const publicId = publicSessionId(session as SessionId);
  const malformed = await thief.heartbeat({ session: publicId });
  assert.equal(malformed.err, ERROR_CODES.unknown_session);
  assert.equal((await owner.heartbeat()).session, session);
  const list = SessionListSchema.parse(await (await fetch(`${http}/api/v1/sessions`)).json());
  assert.equal(JSON.stringify(list).includes(session), false);
  assert.equal(signaling.ports.length, 1);
});

test('session ids have 128 bits from the system’s generator, none twice and none in order', async (t) => {
  const { connect } = await startServer(t);
  const ids: string[] = [];
  for (let count = 0; count < 20; count += 1) {
    const client = await connect();
    ids.push((await client.heartbeat()).session);
    client.socket.terminate();
  }
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.equal(Buffer.from(id, 'base64url').length, 16);
  for (let place = 0; place < 16; place += 1) {
    const bytes = new Set(ids.map((id) => Buffer.from(id, 'base64url')[place]));
    assert.ok(bytes.size > 5, `byte ${place} hardly ever changes`);
  }
});

test('a message replayed on another connection takes the session over, and its owner is told by 4001', async (t) => {
  const { connect, logs } = await startServer(t);
  const owner = await connect();
  const { session } = await owner.publish('a');
  const replayed = await (await connect()).heartbeat({ session });
  assert.equal(replayed.session, session);
  assert.equal((await owner.end()).code, CLOSE_CODES.session_taken_over);
  await until('it is logged', () => logs.some(({ msg }) => msg === 'session taken over'));
});
