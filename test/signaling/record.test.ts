import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openFolder } from '../../adapters/storage/folder/folder.ts';
import type { Authoriser, Permission } from '../../core/auth/index.ts';
import { ERROR_CODES, MillraceError, REPLY_SCHEMAS } from '../../core/protocol/index.ts';
import { FakeLauncher } from './fake-launcher.ts';
import { startServer, type TestDeps } from './server.ts';

const NAME = 'lobby';

async function start(t: TestContext, deps: TestDeps = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-record-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const objects = openFolder(folder);
  const launcher = new FakeLauncher(objects);
  const server = await startServer(t, {}, { ...deps, recordings: { launcher, objects } });
  return { ...server, launcher, folder };
}

/** The token is the subject, and what it may do on every stream: `ann:record`. */
const byToken: Authoriser = {
  identify: async (token = '') => {
    const [subject = '', ...permissions] = token.split(':');
    return { subject, may: (permission: Permission) => permissions.includes(permission) };
  },
};

test('A publisher records its stream and stops it, without version and session', async (t) => {
  const { connect, launcher } = await start(t);
  const client = await connect();
  await client.publish(NAME);
  client.socket.send(JSON.stringify({ method: 'record.start', stream: NAME, data: { fileName: 'a/b' } }));
  const started = REPLY_SCHEMAS['record.start'].parse(await client.next());
  assert.equal(started.data.fileName, 'a/b.webm');
  assert.equal(started.data.started_at, '1970-01-01T00:00:00.000Z');
  assert.deepEqual(
    launcher.started.map(({ stream, key, subject, origin }) => [stream, key, subject, origin]),
    [[NAME, 'a/b.webm', '', 'record.start']],
  );
  client.socket.send(JSON.stringify({ method: 'record.stop', stream: NAME }));
  const stopped = REPLY_SCHEMAS['record.stop'].parse(await client.next());
  const { recording } = started.data;
  assert.deepEqual(stopped.data.recordings, [{ recording, fileName: 'a/b.webm' }]);
});

test('A recording without a name gets one of the stream and the time, and asked for again stays the same', async (t) => {
  const { connect, launcher } = await start(t);
  const client = await connect();
  await client.publish(NAME);
  const { data } = await client.request('record.start', NAME);
  assert.match(String(data.fileName), /^lobby-\d{8}-\d{6}\.webm$/);
  assert.deepEqual((await client.request('record.start', NAME)).data, data);
  assert.equal(launcher.started.length, 1);
});

test('A name made of a second in which another recording has begun is of a later one', async (t) => {
  const { connect, launcher } = await start(t);
  const client = await connect();
  await client.publish(NAME);
  const launch = launcher.start.bind(launcher);
  const tried: string[] = [];
  launcher.start = async (request) => {
    tried.push(request.key);
    if (tried.length < 3) throw new MillraceError('name_taken', 'taken');
    return launch(request);
  };
  const { data } = await client.request('record.start', NAME);
  assert.equal(new Set(tried).size, 3);
  assert.equal(data.fileName, tried.at(-1));
});

test('record.stop picks by name, else ends all that record.start began, and not what others did', async (t) => {
  const { connect, launcher } = await start(t);
  const client = await connect();
  await client.publish(NAME);
  for (const fileName of ['a', 'b', 'c']) await client.request('record.start', NAME, { fileName });
  // As through /api/v1.
  await launcher.start({ ...launcher.started[0], key: 'd.webm', origin: undefined } as never);
  const one = await client.request('record.stop', NAME, { fileName: 'b' });
  assert.deepEqual(names(one.data), ['b.webm']);
  const rest = await client.request('record.stop', NAME);
  assert.deepEqual(names(rest.data).sort(), ['a.webm', 'c.webm']);
  const states = (await launcher.list({ limit: 10 })).map(({ key, progress }) => `${key} ${progress.state}`);
  assert.ok(states.includes('d.webm recording'));
});

test('What was stopped already is answered again, what never ran is not', async (t) => {
  const { connect } = await start(t);
  const client = await connect();
  await client.publish(NAME);
  assert.equal((await client.request('record.stop', NAME)).err, ERROR_CODES.recording_not_running);
  await client.request('record.start', NAME, { fileName: 'a' });
  const first = await client.request('record.stop', NAME, { fileName: 'a' });
  assert.deepEqual((await client.request('record.stop', NAME, { fileName: 'a' })).data, first.data);
  assert.deepEqual((await client.request('record.stop', NAME)).data, first.data);
  const unknown = await client.request('record.stop', NAME, { fileName: 'b' });
  assert.equal(unknown.err, ERROR_CODES.recording_not_running);
});

test('Names that lead elsewhere are refused', async (t) => {
  const { connect, launcher } = await start(t);
  const client = await connect();
  await client.publish(NAME);
  for (const fileName of ['../a', '/a', 'a/../../b', '.hidden', 'a\u0000b', 'a\\b']) {
    const { err } = await client.request('record.start', NAME, { fileName });
    assert.equal(err, ERROR_CODES.name_refused, fileName);
  }
  assert.deepEqual(launcher.started, []);
});

test('Who publishes the stream records it, others need a token that says so', async (t) => {
  const { connect, launcher } = await start(t, { authoriser: byToken });
  const publisher = await connect('?token=ann:publish');
  await publisher.publish(NAME);
  const denied = await connect('?token=bob:publish:play');
  assert.equal((await denied.request('record.start', NAME)).err, ERROR_CODES.not_authorised);
  assert.deepEqual(launcher.started, []);
  for (const permission of ['record', 'admin']) {
    const allowed = await connect(`?token=${permission}:${permission}`);
    assert.equal((await allowed.request('record.start', NAME, { fileName: permission })).err, 0);
  }
  assert.equal((await publisher.request('record.start', NAME, { fileName: 'own' })).err, 0);
  assert.deepEqual(
    launcher.started.map(({ subject }) => subject),
    ['record', 'admin', 'ann'],
  );
  assert.equal((await denied.request('record.stop', NAME)).err, ERROR_CODES.not_authorised);
});

test('Who began a recording as a publisher ends it after the stream was closed, too', async (t) => {
  const { connect } = await start(t, { authoriser: byToken });
  const publisher = await connect('?token=ann:publish');
  await publisher.publish(NAME);
  await publisher.request('record.start', NAME, { fileName: 'a' });
  await publisher.request('stream.close', NAME);
  assert.equal((await publisher.request('record.start', NAME)).err, ERROR_CODES.not_authorised);
  assert.deepEqual(names((await publisher.request('record.stop', NAME)).data), ['a.webm']);
});

test('A recording is begun after the publish that was asked for before it, and holds up no close', async (t) => {
  const { connect, launcher, media } = await start(t);
  const client = await connect();
  const held = Promise.withResolvers<void>();
  launcher.stop = () => held.promise.then(() => []);
  client.send('stream.publish', NAME, { sdp: 'offer' }, { id: 1 });
  client.send('record.start', NAME, { fileName: 'a' }, { id: 2 });
  client.send('record.stop', NAME, {}, { id: 3 });
  client.send('stream.close', NAME, {}, { id: 4 });
  const ids = [(await client.next()).id, (await client.next()).id, (await client.next()).id];
  assert.equal(ids[0], 1);
  assert.deepEqual(ids.slice(1).sort(), [2, 4]);
  assert.equal(media.called('close').length, 1);
  held.resolve();
  assert.equal((await client.next()).id, 3);
});

test('Who began a recording and who publishes the stream are told its end, with events only', async (t) => {
  const { connect, folder } = await start(t);
  const publisher = await connect('?events=1');
  await publisher.publish(NAME);
  const [starter, other, deaf] = [await connect('?events=1'), await connect('?events=1'), await connect()];
  const { data } = await starter.request('record.start', NAME, { fileName: 'a' });
  for (const client of [other, deaf]) await client.play(NAME);
  const stopping = deaf.request('record.stop', NAME, { fileName: 'a' });
  const event = await publisher.next();
  assert.equal(event.method, 'record.ended');
  assert.equal(event.session, publisher.session);
  assert.deepEqual(event.data, {
    recording: data.recording,
    fileName: 'a.webm',
    outcome: 'completed',
    duration_ms: 1000,
    bytes: 100,
    gaps: { count: 0, total_ms: 0 },
    files: [{ fileName: 'a.webm', location: join(folder, 'a.webm'), duration_ms: 1000, bytes: 44 }],
  });
  assert.equal((await starter.next()).method, 'record.ended');
  assert.equal((await stopping).method, 'record.stop');
  assert.equal((await other.heartbeat()).method, 'stream.heartbeat');
});

test('A recording that failed is an error of record.stop, which says why', async (t) => {
  const { connect, launcher } = await start(t);
  const client = await connect();
  await client.publish(NAME);
  await client.request('record.start', NAME, { fileName: 'a' });
  const [record] = await launcher.list({ limit: 1 });
  assert.ok(record);
  const progress = { ...record.progress, state: 'failed', message: 'the disk is gone' } as const;
  launcher.stop = async () => [{ ...record, progress }];
  const stopped = await client.request('record.stop', NAME);
  assert.equal(stopped.err, ERROR_CODES.internal);
  assert.match(stopped.err_msg, /"a.webm" failed: the disk is gone/);
});

test('What the launcher refuses is the reply, word for word', async (t) => {
  const { connect, launcher } = await start(t);
  const client = await connect();
  await client.publish(NAME);
  for (const name of ['codec_not_recordable', 'too_many', 'timed_out', 'name_taken'] as const) {
    launcher.start = () => Promise.reject(new MillraceError(name, `why ${name}`));
    const { err, err_msg } = await client.request('record.start', NAME, { fileName: 'a' });
    assert.deepEqual([err, err_msg], [ERROR_CODES[name], `why ${name}`]);
  }
});

function names({ recordings }: Record<string, unknown>): string[] {
  return (recordings as { fileName: string }[]).map(({ fileName }) => fileName);
}
