import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError, type StreamName } from '../../core/protocol/index.ts';
import { eventually } from '../harness/condition.ts';
import {
  created,
  fragmentWith,
  offerWith,
  patch,
  plainProblem,
  post,
  problem,
} from '../whip/harness/http-client.ts';
import { startServer } from './server.ts';

const A = 'a' as StreamName;

test('POST to /whip publishes: 201, the answer, and where the session is', async (t) => {
  const { http, media, connect } = await startServer(t);
  const response = await post(`${http}/whip/a`, offerWith('abcd'), { Accept: 'application/sdp' });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get('content-type'), 'application/sdp');
  assert.match(response.headers.get('location') ?? '', /^\/whip\/a\/[A-Za-z0-9_-]{22}$/);
  assert.equal(response.headers.get('etag'), '"1"');
  assert.equal(response.headers.get('accept-patch'), 'application/trickle-ice-sdpfrag');
  assert.equal(response.headers.get('link'), null);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(await response.text(), `answer to ${offerWith('abcd')}`);
  assert.equal(media.streams.size, 1);
  const viewer = await connect();
  assert.equal((await viewer.request('stream.play', 'a', { sdp: 'offer' })).err, 0);
  const list = (await (await fetch(`${http}/api/v1/streams`)).json()) as { streams: { name: string }[] };
  assert.deepEqual(
    list.streams.map(({ name }) => name),
    ['a'],
  );
});

test('POST to /whep plays what was published over a WebSocket', async (t) => {
  const { http, media, connect } = await startServer(t);
  const publisher = await connect();
  await publisher.publish('c/d é');
  const response = await post(`${http}/whep/${encodeURIComponent('c/d é')}`, offerWith('abcd'));
  assert.equal(response.status, 201);
  assert.match(response.headers.get('location') ?? '', /^\/whep\/c%2Fd%20%C3%A9\//);
  assert.equal(media.streams.get('c/d é' as StreamName)?.plays.size, 1);
  assert.equal(media.called('play')[0]?.events, false);
});

test('DELETE ends a session once; its media is released and its viewers are told', async (t) => {
  const { http, media, connect } = await startServer(t);
  const url = await created(`${http}/whip/a`);
  const viewer = await connect('?events=1');
  await viewer.request('stream.play', 'a', { sdp: 'offer' });
  const played = await created(`${http}/whep/a`);
  assert.equal((await fetch(played, { method: 'DELETE' })).status, 200);
  assert.equal(media.streams.get(A)?.plays.size, 1);
  const ended = await fetch(url, { method: 'DELETE', headers: { 'If-Match': '"7"' } });
  assert.equal(ended.status, 200);
  assert.equal(media.streams.size, 0);
  assert.deepEqual((await viewer.next()).data, { role: 'play', reason: 'publisher_closed' });
  const again = await fetch(url, { method: 'DELETE' });
  assert.equal((await problem(again)).name, 'unknown_session');
});

test('a session outlives the resume time while it has media, and ends with it', async (t) => {
  const { http, media, registry } = await startServer(t, { resumeMs: 100 });
  const url = await created(`${http}/whip/a`);
  const sessions = () => registry.sessions({ limit: 10 });
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.deepEqual(
    (await sessions()).map(({ connected }) => connected),
    [true],
  );
  assert.equal((await patch(url, fragmentWith('abcd'), { 'If-Match': '"1"' })).status, 204);
  await media.endStream(A, 'transport_lost');
  await eventually('the session to end', async () => (await sessions()).length === 0);
  assert.equal((await patch(url, fragmentWith('abcd'), { 'If-Match': '"1"' })).status, 404);
});

test('a session ends with its play, and with the media server that has it', async (t) => {
  const { http, media, registry, connect } = await startServer(t);
  await (await connect()).publish('a');
  const url = await created(`${http}/whep/a`);
  await media.endStream(A, 'publisher_closed');
  await eventually('the session to end', async () => (await registry.sessions({ limit: 10 })).length === 1);
  assert.equal((await fetch(url, { method: 'DELETE' })).status, 404);
  const other = await created(`${http}/whip/b`);
  media.die();
  await eventually('the other one to end', async () => (await patch(other, '', {})).status === 404);
});

test('a WHIP publisher that is live keeps its stream; one without media is displaced', async (t) => {
  const { http, media, connect } = await startServer(t);
  const first = await created(`${http}/whip/a`);
  const second = await connect();
  assert.equal((await problem(await post(`${http}/whip/a`, offerWith('efgh')))).code, 40901);
  assert.equal((await second.publish('a')).err, 40901);
  const stream = media.streams.get(A);
  if (stream !== undefined) stream.live = false;
  assert.equal((await second.publish('a')).err, 0);
  await eventually('the first session to end', async () => (await patch(first, '')).status === 404);
  second.socket.close();
  await eventually('its place', async () => (await post(`${http}/whip/a`, offerWith('efgh'))).status === 201);
});

test('nobody takes a session of WHIP over by a WebSocket', async (t) => {
  const { http, connect } = await startServer(t);
  const url = await created(`${http}/whip/a`);
  const session = url.slice(url.lastIndexOf('/') + 1);
  assert.equal((await (await connect()).heartbeat({ session })).err, 40401);
});

test('another type than SDP, and an answer of another type, are refused', async (t) => {
  const { http } = await startServer(t);
  const json = await post(`${http}/whip/a`, '{}', { 'Content-Type': 'application/json' });
  assert.equal(json.headers.get('accept-post'), 'application/sdp');
  assert.equal((await plainProblem(json)).status, 415);
  const accept = await post(`${http}/whip/a`, offerWith('abcd'), { Accept: 'application/json' });
  assert.equal((await plainProblem(accept)).status, 406);
  const charset = { 'Content-Type': 'Application/SDP; charset=utf-8' };
  assert.equal((await post(`${http}/whip/a`, offerWith('abcd'), charset)).status, 201);
});

test('what is too large, broken or empty begins nothing and leaves nothing', async (t) => {
  const { http, media, registry } = await startServer(t);
  const large = await problem(await post(`${http}/whip/a`, 'x'.repeat(128 * 1024 + 1)));
  assert.deepEqual([large.status, large.name], [413, 'too_large']);
  assert.equal((await problem(await post(`${http}/whip/a`, 'broken'))).name, 'invalid_sdp');
  assert.equal((await problem(await post(`${http}/whip/${'x'.repeat(129)}`, 'offer'))).name, 'invalid_field');
  assert.equal((await problem(await post(`${http}/whip/%ff`, 'offer'))).name, 'invalid_field');
  assert.equal((await problem(await post(`${http}/whip/`, 'offer'))).name, 'missing_field');
  assert.equal((await plainProblem(await post(`${http}/whip/a/b/c`, 'offer'))).status, 404);
  assert.equal(media.streams.size, 0);
  assert.deepEqual(await registry.sessions({ limit: 10 }), []);
});

test('a stream that nobody publishes is a conflict for WHEP, with a time to come back', async (t) => {
  const { http } = await startServer(t);
  const response = await post(`${http}/whep/a`, offerWith('abcd'));
  assert.equal(response.status, 409);
  assert.equal(response.headers.get('retry-after'), '2');
  const { name, status, detail } = await problem(response);
  assert.deepEqual([name, status], ['stream_not_found', 409]);
  assert.match(detail, /"a"; check the name, or ask again later/);
});

test('GET shows nothing; methods that are not served are told what is', async (t) => {
  const { http } = await startServer(t);
  const url = await created(`${http}/whip/a`);
  for (const target of [`${http}/whip/a`, url]) {
    assert.equal((await fetch(target)).status, 204);
    const put = await fetch(target, { method: 'PUT' });
    assert.equal((await plainProblem(put)).status, 405);
    const allow = target === url ? 'DELETE, GET, HEAD, OPTIONS, PATCH' : 'GET, HEAD, OPTIONS, POST';
    assert.equal(put.headers.get('allow'), allow);
  }
});

test('a fragment restarts ICE when its condition holds, and only then', async (t) => {
  const { http, media } = await startServer(t);
  const url = await created(`${http}/whip/a`);
  const restart = fragmentWith('wxyz', 'q'.repeat(24));
  assert.equal((await plainProblem(await patch(url, restart))).status, 428);
  assert.equal((await plainProblem(await patch(url, restart, { 'If-Match': '"0"' }))).status, 412);
  const trickle = await patch(url, fragmentWith('abcd'), { 'If-Match': '"1"' });
  assert.deepEqual([trickle.status, trickle.headers.get('etag')], [204, null]);
  assert.equal((await patch(url, 'a=candidate:1\r\n', { 'If-Match': '"1"' })).status, 204);
  assert.equal(media.called('publish').length, 1);

  const done = await patch(url, restart, { 'If-Match': '*' });
  assert.deepEqual([done.status, done.headers.get('etag')], [200, '"2"']);
  assert.equal(done.headers.get('content-type'), 'application/trickle-ice-sdpfrag');
  // The fake media server's answer is the offer.
  assert.match(
    await done.text(),
    /^a=group:BUNDLE 0 1\r\na=ice-options:trickle\r\nm=audio .*\r\na=mid:0\r\na=ice-ufrag:wxyz\r\n/,
  );
  assert.deepEqual(media.streams.get(A)?.offers[1], offerWith('wxyz', 'q'.repeat(24)));
  assert.equal((await patch(url, fragmentWith('abcd'), { 'If-Match': '"1"' })).status, 412);
  assert.equal((await patch(url, restart, { 'If-Match': '"2"' })).status, 204);
  const quoted = await patch(url, fragmentWith('1234'), { 'If-Match': '"*"' });
  assert.deepEqual([quoted.status, quoted.headers.get('etag')], [200, '"3"']);
});

test('a viewer restarts ICE too', async (t) => {
  const { http, media, connect } = await startServer(t);
  await (await connect()).publish('a');
  const url = await created(`${http}/whep/a`);
  assert.equal((await patch(url, fragmentWith('wxyz'), { 'If-Match': '*' })).status, 200);
  assert.deepEqual(
    media.called('play').map(({ sdp }) => sdp),
    [offerWith('abcd'), offerWith('wxyz')],
  );
});

test('a restart that fails leaves the ICE session as it was', async (t) => {
  const { http, media } = await startServer(t);
  const url = await created(`${http}/whip/a`);
  media.fail('publish', new MillraceError('no_common_codec', 'none'), 1);
  assert.equal((await patch(url, fragmentWith('wxyz'), { 'If-Match': '*' })).status, 400);
  assert.equal((await patch(url, fragmentWith('abcd'), { 'If-Match': '"1"' })).status, 204);
  assert.equal(media.streams.size, 1);
  const wrongType = await patch(url, fragmentWith('wxyz'), { 'Content-Type': 'application/sdp' });
  assert.equal(wrongType.headers.get('accept-patch'), 'application/trickle-ice-sdpfrag');
  assert.equal((await plainProblem(wrongType)).status, 415);
  const broken = await patch(url, 'a=ice-ufrag:abcd\r\n', { 'If-Match': '*' });
  assert.equal((await problem(broken)).name, 'invalid_sdp');
});

test('restarts at the same time are done one after another', async (t) => {
  const { http } = await startServer(t);
  const url = await created(`${http}/whip/a`);
  const restarts = ['wxyz', '1234', '5678'].map((ufrag) =>
    patch(url, fragmentWith(ufrag), { 'If-Match': '*' }),
  );
  const tags = (await Promise.all(restarts)).map((response) => response.headers.get('etag'));
  assert.deepEqual(tags.sort(), ['"2"', '"3"', '"4"']);
});

test('a session is in the hands of the token subject that began it', async (t) => {
  const authoriser = {
    identify: async (token: string | undefined) => {
      if (token === undefined) throw new MillraceError('token_invalid', 'show a token');
      return { subject: token, may: () => token !== 'carol' };
    },
  };
  const { http } = await startServer(t, {}, { authoriser });
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
  const none = await post(`${http}/whip/a`, offerWith('abcd'));
  assert.deepEqual([none.status, none.headers.get('www-authenticate')], [401, 'Bearer']);
  const forbidden = await problem(await post(`${http}/whip/a`, offerWith('abcd'), bearer('carol')));
  assert.equal(forbidden.name, 'not_authorised');
  const url = await created(`${http}/whip/a`, offerWith('abcd'), bearer('alice'));
  assert.equal((await fetch(url, { method: 'DELETE', headers: bearer('bob') })).status, 403);
  assert.equal((await fetch(url, { method: 'DELETE' })).status, 401);
  const swapped = url.replace('/whip/', '/whep/');
  assert.equal((await fetch(swapped, { method: 'DELETE', headers: bearer('alice') })).status, 404);
  assert.equal((await fetch(url, { method: 'DELETE', headers: bearer('alice') })).status, 200);
});

test('pages of listed origins may use it and read what they need; others may not', async (t) => {
  const { http } = await startServer(t, { allowedOrigins: ['https://page.example'] });
  const origin = { Origin: 'https://page.example' };
  const asked = {
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'authorization',
  };
  const preflight = await fetch(`${http}/whip/a`, { method: 'OPTIONS', headers: { ...origin, ...asked } });
  assert.equal(preflight.status, 200);
  assert.equal(preflight.headers.get('accept-post'), 'application/sdp');
  assert.equal(preflight.headers.get('access-control-allow-origin'), 'https://page.example');
  assert.equal(preflight.headers.get('vary'), 'Origin');
  assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /Authorization.*If-Match/);
  assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /DELETE.*PATCH, POST/);
  const response = await post(`${http}/whip/a`, offerWith('abcd'), origin);
  assert.match(response.headers.get('access-control-expose-headers') ?? '', /ETag, Link, Location/);
  const refused = await post(`${http}/whep/none`, offerWith('abcd'), origin);
  assert.equal(refused.headers.get('access-control-allow-origin'), 'https://page.example');
  const other = await post(`${http}/whip/b`, offerWith('abcd'), { Origin: 'https://other.example' });
  assert.equal((await problem(other)).name, 'not_authorised');
  assert.equal(other.headers.get('access-control-allow-origin'), null);
});

test('an answer that comes too late begins nothing', async (t) => {
  const { http, media, registry } = await startServer(t, { requestTimeoutMs: 100 });
  const release = media.hold('publish');
  assert.equal((await problem(await post(`${http}/whip/a`, offerWith('abcd')))).name, 'timed_out');
  release();
  await eventually('the stream to be given up', async () => {
    return media.called('close').length > 0 && (await registry.findStream(A)) === undefined;
  });
});

test('a client that gave up waiting leaves nothing behind', async (t) => {
  const { http, media } = await startServer(t);
  const release = media.hold('publish');
  const body = offerWith('abcd');
  const headers = { 'Content-Type': 'application/sdp' };
  const abort = new AbortController();
  const posted = fetch(`${http}/whip/a`, { method: 'POST', body, headers, signal: abort.signal });
  await eventually('the publish', () => media.called('publish').length === 1);
  abort.abort();
  await assert.rejects(posted);
  // The server reads the end of that connection before it reads what comes on others later.
  for (let round = 0; round < 3; round += 1) await fetch(`${http}/whip/a`);
  release();
  await eventually('its release', () => media.called('release').length === 1 && media.streams.size === 0);
});

test('a session ends with its token, unless a fragment comes with a newer one', async (t) => {
  const authoriser = {
    identify: async (token: string | undefined) => ({
      subject: 'alice',
      expiresAtMs: Number(token),
      may: () => true,
    }),
  };
  const { http, media } = await startServer(t, { tokenGraceMs: 0 }, { authoriser });
  const until = (ms: number) => ({ Authorization: `Bearer ${Date.now() + ms}` });
  const first = await created(`${http}/whip/a`, offerWith('abcd'), until(3000));
  await created(`${http}/whip/b`, offerWith('abcd'), until(3000));
  const renewal = { 'If-Match': '"1"', ...until(60_000) };
  assert.equal((await patch(first, fragmentWith('abcd'), renewal)).status, 204);
  await eventually('the other one to end', () => !media.streams.has('b' as StreamName));
  assert.ok(media.streams.has(A));
});

test('ICE servers stand in Link headers: in the answer to POST, and to an OPTIONS that shows a token', async (t) => {
  const iceServers = { urls: ['stun:a.example', 'turn:b.example'], turnSecret: 's', turnTtlMs: 60_000 };
  const { http } = await startServer(t, { iceServers });
  const LINKS =
    /^<stun:a\.example>; rel="ice-server", <turn:b\.example>; rel="ice-server"; username="\d+:[0-9a-f]{16}"; credential="[^"]+"; credential-type="password"$/;
  const posted = await post(`${http}/whip/a`, offerWith('abcd'));
  assert.match(posted.headers.get('link') ?? '', LINKS);
  const asked = await fetch(`${http}/whip/a`, {
    method: 'OPTIONS',
    headers: { Authorization: 'Bearer any' },
  });
  assert.equal(asked.status, 200);
  assert.match(asked.headers.get('link') ?? '', LINKS);
  assert.equal((await fetch(`${http}/whip/a`, { method: 'OPTIONS' })).headers.get('link'), null);
  assert.equal((await post(`${http}/whip/a`, 'nonsense')).headers.get('link'), null);
});
