import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { newSigner, sign } from '../../adapters/auth/harness/signers.ts';
import { matchingKeys, readKeySet } from '../../adapters/auth/key-set.ts';
import { TokenAuthoriser } from '../../adapters/auth/token-authoriser.ts';
import type { Authoriser } from '../../core/auth/index.ts';
import { CLOSE_CODES, ERROR_CODES, type StreamName } from '../../core/protocol/index.ts';
import { until } from './client.ts';
import { startServer, type TestSettings } from './server.ts';

const ROOM = 'room-1' as StreamName;
const OTHER = 'other' as StreamName;
const ALL = { publish: ['*'], play: ['*'] };
const signer = newSigner('HS256');
const { keys } = readKeySet(Buffer.from(signer.content));
const real = new TokenAuthoriser(
  { keysFor: async (algorithm, id) => matchingKeys(keys, algorithm, id), close: () => undefined },
  { expiryRequired: true },
  Date.now,
);

/** @param livesMs until it expires */
function token(millrace: object, livesMs = 600_000, claims: object = {}): Promise<string> {
  return sign(signer, { millrace, exp: (Date.now() + livesMs) / 1000, ...claims });
}

/** Looks at the time every 10 ms. */
function start(t: TestContext, settings: TestSettings = {}, authoriser: Authoriser = real) {
  return startServer(t, { resumeMs: 50, tokenGraceMs: 0, ...settings }, { authoriser });
}

test('without a token nothing is done, and the connection may still show one', async (t) => {
  const { connect } = await start(t);
  const client = await connect();
  for (const reply of [
    await client.heartbeat(),
    await client.publish(ROOM),
    await client.heartbeat({ token: '' }),
  ]) {
    assert.equal(reply.err, ERROR_CODES.token_invalid);
    assert.equal(reply.session, '');
  }
  assert.equal((await client.publish(ROOM, 'offer', { token: await token(ALL) })).err, 0);
});

test('a token is taken from the address, the header, a message and a heartbeat', async (t) => {
  const { connect } = await start(t);
  const good = await token(ALL);
  assert.equal((await (await connect(`?token=${good}`)).play(ROOM)).err, ERROR_CODES.stream_not_found);
  const headers = { Authorization: `Bearer ${good}` };
  assert.equal((await (await connect('', { headers })).heartbeat()).err, 0);
  assert.equal((await (await connect()).heartbeat({ token: good })).err, 0);
  assert.equal((await (await connect()).request('stream.heartbeat', '', { token: good })).err, 0);
  // What a message shows goes before what the address showed.
  assert.equal((await (await connect('?token=bad')).heartbeat({ token: good })).err, 0);
});

test('a token allows what it says and nothing else', async (t) => {
  const { connect, media } = await start(t);
  const client = await connect(`?token=${await token({ publish: ['room-*'], play: [OTHER] })}`);
  assert.equal((await client.publish(ROOM)).err, 0);
  const refused = await client.play(ROOM);
  assert.equal(refused.err, ERROR_CODES.not_authorised);
  assert.match(refused.err_msg, /does not allow "play" on "room-1"/);
  assert.equal((await client.publish(OTHER)).err, ERROR_CODES.not_authorised);
  assert.equal((await client.play(OTHER)).err, ERROR_CODES.stream_not_found);
  assert.deepEqual([...media.streams.keys()], [ROOM]);
});

test('/api/v1 asks for a token with admin, and says by 401 and 403 what is wrong', async (t) => {
  const { connect, http } = await start(t);
  await (await connect(`?token=${await token(ALL)}`)).publish(ROOM);
  const ask = async (path: string, bearer?: string) => {
    const headers = bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` };
    const response = await fetch(http + path, { headers });
    await response.body?.cancel();
    return response;
  };
  const none = await ask('/api/v1/streams');
  assert.equal(none.status, 401);
  assert.equal(none.headers.get('www-authenticate'), 'Bearer');
  assert.equal((await ask('/api/v1/streams', 'nonsense')).status, 401);
  assert.equal((await ask('/api/v1/streams', await token(ALL, -1000))).status, 401);
  assert.equal((await ask('/api/v1/streams', await token(ALL))).status, 403);
  // In the address it would stand in logs.
  assert.equal((await ask(`/api/v1/streams?token=${await token({ admin: true })}`)).status, 401);
  const ofRooms = await token({ admin: ['room-*'] });
  const ofAll = await token({ admin: true });
  assert.equal((await ask(`/api/v1/streams/${ROOM}`, ofRooms)).status, 200);
  assert.equal((await ask(`/api/v1/streams/${OTHER}`, ofRooms)).status, 403);
  for (const path of ['/api/v1/streams', '/api/v1/sessions']) {
    assert.equal((await ask(path, ofRooms)).status, 403);
    assert.equal((await ask(path, ofAll)).status, 200);
  }
  assert.equal((await ask('/api/v1/openapi.json')).status, 200);
});

test('a client with events is told before its token expires, and then left time for another', async (t) => {
  const { connect } = await start(t);
  const livesMs = 20_000;
  const dueMs = Date.now() + livesMs;
  const client = await connect(`?events=1&token=${await token(ALL, livesMs)}`);
  const { session } = await client.heartbeat();
  const { method, stream, session: told, data } = await client.next();
  assert.deepEqual({ method, stream, told }, { method: 'session.expiring', stream: '', told: session });
  assert.ok(Math.abs(Date.parse(String(data.expires_at)) - dueMs) < 5000, String(data.expires_at));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(client.unread, 0);
  const again = await client.request('stream.heartbeat', '', { token: await token(ALL, 25_000) });
  assert.equal(again.err, 0, again.err_msg);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(client.unread, 0);
});

test('a session whose token expired is ended with 1008, and its media released', async (t) => {
  const { connect, media, registry } = await start(t, { tokenGraceMs: 100 });
  const client = await connect(`?token=${await token(ALL, 200)}`);
  const startedMs = performance.now();
  const { session } = await client.publish(ROOM);
  const { code, reason } = await client.end();
  assert.equal(code, CLOSE_CODES.policy);
  assert.match(reason, /^token_expired: get a new token/);
  assert.ok(performance.now() - startedMs >= 250, 'the grace was kept');
  await until('it is released', () => media.called('release').some((call) => call.session === session));
  assert.equal(media.streams.size, 0);
  await until('its record is gone', async () => (await registry.sessions({ limit: 10 })).length === 0);
  const late = await (await connect(`?token=${await token(ALL)}`)).heartbeat({ session });
  assert.equal(late.err, ERROR_CODES.unknown_session);
});

test('within the grace requests are served as before', async (t) => {
  const { connect } = await start(t, { tokenGraceMs: 60_000 });
  const old = await token(ALL, 150);
  const client = await connect(`?token=${old}`);
  assert.equal((await client.publish(ROOM)).err, 0);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal((await client.request('stream.mute', ROOM, { video: true })).err, 0);
  // Clients that show their token each time do not fare worse.
  assert.equal((await client.heartbeat({ token: old })).err, 0);
  // For a new connection it is over.
  const stranger = await (await connect(`?token=${old}`)).heartbeat();
  assert.equal(stranger.err, ERROR_CODES.token_expired);
});

test('a renewed token keeps the session, by whichever request it comes', async (t) => {
  const { connect, media } = await start(t);
  for (const renew of [
    async (fresh: string) => ['stream.heartbeat', '', { token: fresh }] as const,
    async (fresh: string) => ['stream.mute', ROOM, {}, { token: fresh }] as const,
  ]) {
    const client = await connect(`?token=${await token(ALL, 300)}`);
    await client.publish(ROOM);
    const [method, stream, data, fields] = await renew(await token(ALL));
    assert.equal((await client.request(method, stream, data, fields)).err, 0);
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.equal((await client.heartbeat()).err, 0);
    assert.ok(media.streams.has(ROOM));
    await client.request('stream.close', ROOM);
  }
});

test('a renewal that is refused leaves the session as it was', async (t) => {
  const { connect } = await start(t);
  const client = await connect(`?token=${await token(ALL)}`);
  const { session } = await client.publish(ROOM);
  for (const [bad, code] of [
    [await token(ALL, -1000), ERROR_CODES.token_expired],
    ['nonsense', ERROR_CODES.token_invalid],
    [await token({ ...ALL, admin: true }, 600_000, { sub: 'mallory' }), ERROR_CODES.not_authorised],
  ] as const) {
    const reply = await client.request('stream.heartbeat', '', { token: bad });
    assert.equal(reply.err, code, reply.err_msg);
    assert.equal((await client.request('stream.mute', ROOM)).session, session);
  }
});

test('a session is taken over and resumed by its own subject only', async (t) => {
  const { connect, media } = await start(t, { resumeMs: 60_000 });
  const owner = await connect(`?token=${await token(ALL)}`);
  const { session } = await owner.publish(ROOM);
  const thief = await connect(`?token=${await token({ ...ALL, admin: true }, 600_000, { sub: 'mallory' })}`);
  assert.equal((await thief.heartbeat({ session })).err, ERROR_CODES.not_authorised);
  assert.equal((await owner.heartbeat()).err, 0);
  owner.socket.terminate();
  assert.equal((await thief.heartbeat({ session })).err, ERROR_CODES.not_authorised);
  const heir = await connect(`?token=${await token(ALL)}`);
  assert.equal((await heir.heartbeat({ session })).session, session);
  assert.ok(media.streams.has(ROOM));
});

test('what a newer token does not allow any more ends, and the rest goes on', async (t) => {
  const { connect, media } = await start(t);
  const publisher = await connect(`?token=${await token(ALL)}`);
  await publisher.publish(OTHER);
  const client = await connect(`?events=1&token=${await token(ALL)}`);
  const { session } = await client.publish(ROOM);
  await client.play(OTHER);
  const fewer = await client.heartbeat({ token: await token({ play: ['*'] }) });
  assert.equal(fewer.err, 0);
  const ended = await client.next();
  assert.equal(ended.method, 'stream.ended');
  assert.equal(ended.stream, ROOM);
  assert.deepEqual(ended.data, { role: 'publish', reason: 'not_authorised' });
  assert.equal(media.streams.has(ROOM), false);
  assert.equal(media.streams.get(OTHER)?.plays.size, 1);
  assert.equal((await client.publish(ROOM)).err, ERROR_CODES.not_authorised);
  await client.heartbeat({ token: await token({}) });
  assert.deepEqual((await client.next()).data, { role: 'play', reason: 'not_authorised' });
  assert.equal(media.streams.get(OTHER)?.plays.size, 0);
  assert.equal((await client.heartbeat()).session, session);
});

test('fewer rights at a resumption count at once', async (t) => {
  const { connect, media } = await start(t, { resumeMs: 60_000 });
  const before = await connect(`?token=${await token(ALL)}`);
  const { session } = await before.publish(ROOM);
  before.socket.terminate();
  const after = await connect(`?token=${await token({ play: ['*'] })}`);
  assert.equal((await after.heartbeat({ session })).session, session);
  await until('the publication is gone', () => !media.streams.has(ROOM));
});

test('what was under way or waited when the token changed goes by the new one', async (t) => {
  const { connect, media } = await start(t, { requestTimeoutMs: 5000 });
  const publisher = await connect(`?token=${await token(ALL)}`);
  const client = await connect(`?token=${await token(ALL)}`);
  const go = media.hold('publish');
  client.send('stream.publish', ROOM, { sdp: 'offer' }, { id: 'publish' });
  client.send('stream.play', OTHER, { sdp: 'offer', wait_ms: 60_000 }, { id: 'play' });
  client.send('stream.publish', ROOM, { sdp: 'again' }, { id: 'again' });
  await until('the publish is under way', () => media.called('publish').length === 1);
  assert.equal((await client.heartbeat({ id: 'fewer', token: await token({}) })).err, 0);
  go();
  const replies = new Map([await client.next(), await client.next()].map((reply) => [reply.id, reply.err]));
  assert.deepEqual([...replies].sort(), [
    ['again', ERROR_CODES.not_authorised],
    ['publish', 0],
  ]);
  await until('the publication is gone', () => !media.streams.has(ROOM));
  await publisher.publish(OTHER);
  assert.equal((await client.next()).err, ERROR_CODES.not_authorised);
  assert.equal(media.streams.get(OTHER)?.plays.size, 0);
});

test('a session that waits for its client ends when its token expires', async (t) => {
  const { connect, media } = await start(t, { resumeMs: 60_000, pingIntervalMs: 50 });
  const client = await connect(`?token=${await token(ALL, 200)}`);
  await client.publish(ROOM);
  client.socket.terminate();
  await until('it is released', () => media.called('release').length > 0);
  assert.equal(media.streams.size, 0);
});

test('a token that is shown again and again is checked once', async (t) => {
  let checked = 0;
  const counting: Authoriser = {
    identify: (shown) => {
      checked += 1;
      return real.identify(shown);
    },
  };
  const { connect } = await start(t, {}, counting);
  const good = await token(ALL);
  const client = await connect(`?token=${good}`);
  for (let count = 0; count < 5; count += 1) assert.equal((await client.heartbeat({ token: good })).err, 0);
  assert.equal(checked, 1);
});

test('no token is logged', async (t) => {
  const { connect, logs } = await start(t);
  const good = await token(ALL);
  const client = await connect(`?token=${good}`);
  await client.publish(ROOM);
  await client.heartbeat({ token: `${good}x` });
  const text = JSON.stringify(logs);
  for (const part of good.split('.')) assert.equal(text.includes(part), false);
});

test('a token that is taken back is refused, and its sessions end with 1008', async (t) => {
  const revoked = new Set<string>();
  const revocations = {
    has: (subject: string, id?: string) => revoked.has(subject) || revoked.has(id ?? ''),
  };
  const authoriser = new TokenAuthoriser(
    { keysFor: async (algorithm, id) => matchingKeys(keys, algorithm, id), close: () => undefined },
    { expiryRequired: true, revocations },
    Date.now,
  );
  const { connect, media, http } = await start(t, {}, authoriser);
  const mine = await token(ALL, 600_000, { jti: 'one', sub: 'bob' });
  const client = await connect(`?token=${mine}`);
  const other = await connect(`?token=${await token(ALL, 600_000, { jti: 'two', sub: 'bob' })}`);
  assert.equal((await client.publish(ROOM)).err, 0);
  assert.equal((await other.publish(OTHER)).err, 0);
  const whip = await fetch(`${http}/whip/by-whip`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${mine}` },
    body: 'v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n',
  });
  assert.equal(whip.status, 201);
  revoked.add('one');
  const { code, reason } = await client.end();
  assert.equal(code, CLOSE_CODES.policy);
  assert.match(reason, /^token_revoked/);
  await until('what it held is released', () => media.streams.size === 1);
  assert.deepEqual([...media.streams.keys()], [OTHER]);
  const again = await (await connect(`?token=${mine}`)).heartbeat();
  assert.equal(again.err, ERROR_CODES.token_revoked);
  assert.equal((await other.heartbeat()).err, 0);
  revoked.add('bob');
  assert.equal((await other.end()).code, CLOSE_CODES.policy);
});
