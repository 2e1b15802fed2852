import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openFolder } from '../../adapters/storage/folder/folder.ts';
import { ProblemSchema, RecordingListSchema, RecordingSchema } from '../../core/api/index.ts';
import type { Authoriser, Permission } from '../../core/auth/index.ts';
import { FakeLauncher } from './fake-launcher.ts';
import { startServer, type TestDeps } from './server.ts';

async function start(t: TestContext, deps: TestDeps = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-recordings-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const objects = openFolder(folder);
  const launcher = new FakeLauncher(objects);
  const server = await startServer(t, {}, { ...deps, recordings: { launcher, objects } });
  const post = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
    fetch(`${server.http}/api/v1/recordings${path}`, {
      method: 'POST',
      headers,
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  return { ...server, launcher, post };
}

/** Whoever shows the token `<permission>` may do that, on the stream `a` only. */
const byPermission: Authoriser = {
  identify: async (token) => ({
    subject: token ?? '',
    may: (permission: Permission, stream?: string) => permission === token && (stream ?? 'a') === 'a',
  }),
};

test('A recording is started, shown, stopped, and its file read in ranges', async (t) => {
  const { http, launcher, post } = await start(t);
  const begun = await post('', { stream: 'a', fileName: 'shows/first.webm', max_duration_ms: 60_000 });
  assert.equal(begun.status, 201);
  const recording = RecordingSchema.parse(await begun.json());
  assert.equal(begun.headers.get('location'), `/api/v1/recordings/${recording.id}`);
  assert.equal(recording.state, 'recording');
  assert.equal(recording.fileName, 'shows/first.webm');
  assert.equal(launcher.started[0]?.maxDurationMs, 60_000);
  const shown = await fetch(`${http}/api/v1/recordings/${recording.id}`);
  assert.deepEqual(RecordingSchema.parse(await shown.json()), recording);

  const stopped = RecordingSchema.parse(await (await post(`/${recording.id}/stop`)).json());
  assert.equal(stopped.state, 'completed');
  const [file] = stopped.files;
  assert.ok(file);
  const whole = await fetch(http + file.url);
  assert.equal(whole.headers.get('content-type'), 'video/webm');
  assert.equal(whole.headers.get('accept-ranges'), 'bytes');
  const bytes = Buffer.from(await whole.arrayBuffer());
  assert.equal(bytes.length, file.bytes);
  const part = await fetch(http + file.url, { headers: { Range: 'bytes=10-19' } });
  assert.equal(part.status, 206);
  assert.equal(part.headers.get('content-range'), `bytes 10-19/${file.bytes}`);
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(10, 20));
  const beyond = await fetch(http + file.url, { headers: { Range: `bytes=${file.bytes}-` } });
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers.get('content-range'), `bytes */${file.bytes}`);
});

test('Recordings are listed newest first, in pages and by stream', async (t) => {
  const { http, post } = await start(t);
  for (const [index, stream] of ['a', 'b', 'a'].entries()) {
    await post('', { stream, fileName: `${index}.webm` });
  }
  const list = async (query: string) =>
    RecordingListSchema.parse(await (await fetch(`${http}/api/v1/recordings${query}`)).json());
  const page = await list('?limit=2');
  assert.deepEqual(
    page.recordings.map(({ stream }) => stream),
    ['a', 'b'],
  );
  const rest = await list(`?limit=2&after=${page.next}`);
  assert.deepEqual([rest.recordings.map(({ stream }) => stream), rest.next], [['a'], null]);
  assert.equal((await list('?stream=b')).recordings.length, 1);
});

test('What cannot be recorded, named or found is a problem that says why', async (t) => {
  const { http, post } = await start(t);
  const problem = async (response: Response) => {
    const { name, detail } = ProblemSchema.parse(await response.json());
    assert.ok(detail.length > 10, detail);
    return [response.status, name];
  };
  assert.deepEqual(await problem(await post('', 'no json')), [400, 'malformed']);
  assert.deepEqual(await problem(await post('', [])), [400, 'malformed']);
  assert.deepEqual(await problem(await post('', {})), [400, 'missing_field']);
  assert.deepEqual(await problem(await post('', { stream: 7 })), [400, 'invalid_field']);
  assert.deepEqual(await problem(await post('', { stream: 'x'.repeat(129) })), [400, 'invalid_field']);
  assert.deepEqual(await problem(await post('', { stream: 'a', max_duration_ms: 1 })), [
    400,
    'invalid_field',
  ]);
  assert.deepEqual(await problem(await post('', { stream: 'a', fileName: '../x' })), [400, 'name_refused']);
  assert.deepEqual(await problem(await post(`/${'0'.repeat(32)}/stop`)), [404, 'recording_not_running']);
  assert.deepEqual(await problem(await fetch(`${http}/api/v1/recordings/x`)), [404, 'recording_not_running']);
  assert.equal((await fetch(`${http}/api/v1/recordings/x/y`)).status, 404);
  assert.equal((await fetch(`${http}/api/v1/recordings`, { method: 'PUT' })).status, 405);
});

test('A token for recording a stream is enough for its recordings, and a player may show it in the address', async (t) => {
  const { http, post } = await start(t, { authoriser: byPermission });
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
  assert.equal((await post('', { stream: 'a' }, bearer('play'))).status, 403);
  assert.equal((await post('', { stream: 'b' }, bearer('record'))).status, 403);
  const begun = RecordingSchema.parse(await (await post('', { stream: 'a' }, bearer('record'))).json());
  assert.equal(begun.subject, 'record');
  const done = RecordingSchema.parse(
    await (await post(`/${begun.id}/stop`, undefined, bearer('admin'))).json(),
  );
  const url = `${http}${done.files[0]?.url}`;
  assert.equal((await fetch(url)).status, 403);
  assert.equal((await fetch(`${url}?token=record`)).status, 200);
  assert.equal((await fetch(`${http}/api/v1/recordings`, { headers: bearer('record') })).status, 403);
  const own = await fetch(`${http}/api/v1/recordings?stream=a`, { headers: bearer('record') });
  assert.equal(RecordingListSchema.parse(await own.json()).recordings.length, 1);
});

test('Where recording is off, that is said', async (t) => {
  const { http } = await startServer(t);
  const response = await fetch(`${http}/api/v1/recordings`);
  assert.equal(response.status, 503);
  assert.match(ProblemSchema.parse(await response.json()).detail, /MILLRACE_RECORDINGS/);
});
