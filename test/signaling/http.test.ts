import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  ProblemSchema,
  SessionListSchema,
  SessionSchema,
  StreamDetailSchema,
  StreamListSchema,
} from '../../core/api/index.ts';
import { CLOSE_CODES, ERROR_CODES, publicSessionId, type SessionId } from '../../core/protocol/index.ts';
import { readAssets } from '../../signaling/index.ts';
import { until } from './client.ts';
import { startServer } from './server.ts';

test('streams are listed in pages, and one is shown with its viewers', async (t) => {
  const { connect, http } = await startServer(t);
  const client = await connect();
  for (const name of ['b', 'a', 'c/d é']) await client.publish(name);
  const { session } = await client.play('a');
  const page = StreamListSchema.parse(await (await fetch(`${http}/api/v1/streams?limit=2`)).json());
  assert.deepEqual(
    page.streams.map(({ name }) => name),
    ['a', 'b'],
  );
  const rest = await (await fetch(`${http}/api/v1/streams?limit=2&after=${page.next}`)).json();
  assert.deepEqual(
    StreamListSchema.parse(rest).streams.map(({ name }) => name),
    ['c/d é'],
  );
  const detail = await (await fetch(`${http}/api/v1/streams/a`)).json();
  const [play] = StreamDetailSchema.parse(detail).plays;
  assert.equal(play?.session, publicSessionId(session as SessionId));
  const encoded = await fetch(`${http}/api/v1/streams/${encodeURIComponent('c/d é')}`);
  assert.equal(StreamDetailSchema.parse(await encoded.json()).name, 'c/d é');
});

test('a stream is ended, and its publisher and viewers are told why', async (t) => {
  const { connect, http } = await startServer(t);
  const client = await connect('?events=1');
  await client.publish('a');
  assert.equal((await fetch(`${http}/api/v1/streams/a`, { method: 'DELETE' })).status, 204);
  assert.deepEqual((await client.next()).data, { role: 'publish', reason: 'ended_by_operator' });
  const again = await fetch(`${http}/api/v1/streams/a`, { method: 'DELETE' });
  assert.equal(again.status, 404);
  assert.equal(again.headers.get('content-type'), 'application/problem+json');
  assert.equal(ProblemSchema.parse(await again.json()).code, ERROR_CODES.stream_not_found);
});

test('sessions are listed by public ids that take nothing over, and one is ended with 4004', async (t) => {
  const { connect, http, media } = await startServer(t);
  const client = await connect();
  const { session } = await client.publish('a');
  const id = publicSessionId(session as SessionId);
  const list = SessionListSchema.parse(await (await fetch(`${http}/api/v1/sessions`)).json());
  assert.deepEqual(
    list.sessions.map((entry) => entry.id),
    [id],
  );
  assert.equal(JSON.stringify(list).includes(session), false);
  const one = SessionSchema.parse(await (await fetch(`${http}/api/v1/sessions/${id}`)).json());
  assert.deepEqual(one.holds, [{ stream: 'a', role: 'publish', node: media.id }]);
  assert.equal((await fetch(`${http}/api/v1/sessions/${id}`, { method: 'DELETE' })).status, 204);
  assert.equal((await client.end()).code, CLOSE_CODES.session_ended);
  assert.equal(media.streams.size, 0);
  assert.equal((await fetch(`${http}/api/v1/sessions/${id}`)).status, 404);
  const back = await (await connect()).heartbeat({ session });
  assert.equal(back.err, ERROR_CODES.unknown_session);
});

test('what a page cannot be is a problem document, and unknown paths and methods are told apart', async (t) => {
  const { http } = await startServer(t);
  const bad = await fetch(`${http}/api/v1/streams?limit=0`);
  assert.equal(bad.status, 400);
  assert.equal(ProblemSchema.parse(await bad.json()).name, 'invalid_field');
  const broken = await fetch(`${http}/api/v1/streams/%ff`);
  assert.equal(ProblemSchema.parse(await broken.json()).name, 'invalid_field');
  for (const path of ['/api', '/api/v1', '/api/v1/other', '/api/v1/streams/a/b']) {
    const unknown = await fetch(http + path);
    assert.equal(unknown.status, 404, path);
    assert.equal(unknown.headers.get('content-type'), 'application/problem+json');
  }
  const method = await fetch(`${http}/api/v1/streams`, { method: 'POST' });
  assert.equal(method.status, 405);
  assert.equal(method.headers.get('allow'), 'GET, HEAD');
  assert.equal(method.headers.get('content-type'), 'application/problem+json');
  const openApi = (await (await fetch(`${http}/api/v1/openapi.json`)).json()) as { openapi: string };
  assert.match(openApi.openapi, /^3\.1/);
});

test('a page of another origin can neither change nor read anything', async (t) => {
  const { connect, http, media } = await startServer(t);
  await (await connect()).publish('a');
  const host = new URL(http).host;
  const status = (method: string, headers: Record<string, string>): Promise<number> =>
    new Promise((resolve, reject) => {
      request(`${http}/api/v1/streams/a`, { method, headers }, (response) => {
        assert.equal(response.headers['access-control-allow-origin'], undefined);
        response.resume();
        resolve(response.statusCode ?? 0);
      })
        .on('error', reject)
        .end();
    });
  assert.equal(await status('DELETE', { Origin: 'https://evil.example' }), 403);
  assert.equal(await status('GET', { Origin: 'https://evil.example' }), 403);
  assert.equal(await status('GET', { Host: 'evil.example' }), 403);
  assert.equal(media.streams.size, 1);
  assert.equal(await status('DELETE', { Origin: `http://${host}` }), 204);
});

test('the registry away is a 503', async (t) => {
  const { http, registry } = await startServer(t);
  registry.away = true;
  const response = await fetch(`${http}/api/v1/sessions`);
  assert.equal(response.status, 503);
  assert.equal(ProblemSchema.parse(await response.json()).name, 'registry_unavailable');
});

test('files are served with their type and tag, and nothing outside of their folder is', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'assets-'));
  t.after(() => rm(folder, { recursive: true }));
  const page = join(folder, 'page');
  await mkdir(join(page, 'part'), { recursive: true });
  await writeFile(join(folder, 'secret.html'), 'secret');
  await symlink(join(folder, 'secret.html'), join(page, 'linked.html'));
  await writeFile(join(page, '.hidden.html'), 'hidden');
  await writeFile(join(page, 'index.html'), '<!doctype html>');
  await writeFile(join(page, 'part', 'app.js'), 'export {};');
  const { http } = await startServer(t, {}, { assets: await readAssets(page) });

  const index = await fetch(`${http}/`);
  assert.equal(await index.text(), '<!doctype html>');
  assert.equal(index.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.equal(index.headers.get('x-content-type-options'), 'nosniff');
  assert.match(
    index.headers.get('content-security-policy') ?? '',
    /default-src 'none'.*frame-ancestors 'none'/,
  );
  const script = await fetch(`${http}/part/app.js?v=1`);
  assert.equal(script.headers.get('content-type'), 'text/javascript; charset=utf-8');
  const etag = script.headers.get('etag') ?? '';
  const same = await fetch(`${http}/part/app.js`, { headers: { 'If-None-Match': `"other", W/${etag}` } });
  assert.equal(same.status, 304);
  assert.equal((await fetch(`${http}/index.html`, { method: 'POST' })).status, 405);
  assert.equal(await (await fetch(`${http}/`, { method: 'HEAD' })).text(), '');
  const outside = ['/../secret.html', '/%2e%2e/secret.html', '/part/..%2f..%2fsecret.html', '/linked.html'];
  for (const path of [...outside, '/.hidden.html', '/part', '//']) {
    assert.equal(await rawStatus(http, path), 404, path);
  }
});

/** As it is written: fetch would tidy the path up. */
function rawStatus(http: string, path: string): Promise<number> {
  const { hostname, port } = new URL(http);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

test('health and metrics have an address of their own', async (t) => {
  const { connect, http, signaling } = await startServer(t, {
    metricsListen: { host: '127.0.0.1', port: 0 },
  });
  const health = `http://127.0.0.1:${signaling.metricsPort}`;
  for (const path of ['/livez', '/readyz', '/metrics']) {
    assert.equal((await fetch(health + path)).status, 200, path);
    assert.equal((await fetch(http + path)).status, 404, path);
  }
  const client = await connect();
  await client.publish('a');
  await client.play('nobody');
  client.socket.send('{');
  await client.next();
  const other = await connect();
  await other.heartbeat();
  await other.leave();
  const lines = [
    'millrace_signaling_connections 1',
    'millrace_signaling_sessions{state="attached"} 1',
    'millrace_signaling_sessions{state="detached"} 1',
    'millrace_signaling_request_duration_seconds_count{method="stream.publish",code="0"} 1',
    'millrace_signaling_request_duration_seconds_count{method="stream.play",code="40402"} 1',
    'millrace_signaling_bad_messages_total{code="40001"} 1',
    'millrace_signaling_closes_total{code="1005"} 1',
  ];
  await until('everything is counted', async () => {
    const metrics = await (await fetch(`${health}/metrics`)).text();
    return lines.every((line) => metrics.includes(`${line}\n`));
  });
});
