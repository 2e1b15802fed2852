import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openFolder } from '../../adapters/storage/folder/folder.ts';
import type { WebhookEvent } from '../../core/webhook/index.ts';
import { until } from './client.ts';
import { FakeLauncher } from './fake-launcher.ts';
import { startServer } from './server.ts';

function sink() {
  const told: WebhookEvent[] = [];
  return { told, webhooks: { tell: (event: WebhookEvent) => void told.push(event) } };
}

test('the beginning and the end of a stream are told once each, whatever its client does in between', async (t) => {
  const { told, webhooks } = sink();
  const { connect } = await startServer(t, {}, { webhooks });
  const client = await connect();
  await client.publish('a');
  await client.publish('a');
  assert.equal(told.length, 1);
  const [started = assert.fail()] = told;
  assert.ok(started.type === 'stream.started');
  const { stream, subject, session, epoch, tracks } = started.data;
  assert.deepEqual({ stream, subject }, { stream: 'a', subject: '' });
  assert.match(session, /^[0-9a-f]{16}$/);
  assert.ok(epoch > 0);
  assert.ok(tracks.length > 0);
  assert.match(started.id, /^[0-9a-f]{32}$/);
  await client.request('stream.close', 'a');
  await until('its end is told', () => told.length === 2);
  const [, ended = assert.fail()] = told;
  assert.ok(ended.type === 'stream.ended');
  assert.deepEqual(ended.data, { stream, epoch, session, subject, reason: 'closed' });
  assert.notEqual(ended.id, started.id);
});

test('the end of a stream is told when its session ended first, and when its media server is lost', async (t) => {
  const { told, webhooks } = sink();
  const { connect, media } = await startServer(t, { resumeMs: 50 }, { webhooks });
  const leaving = await connect();
  await leaving.publish('a');
  await leaving.leave();
  await until('its end is told', () => told.length === 2);
  assert.equal(told[1]?.type, 'stream.ended');
  const staying = await connect('?events=1');
  await staying.publish('b');
  media.die();
  await until('its end is told', () => told.length === 4);
  const last = told[3];
  assert.ok(last?.type === 'stream.ended');
  assert.equal(last.data.reason, 'media_server_lost');
  assert.equal(last.data.stream, 'b');
});

test('a publisher that displaces another is told of after it, and has a higher epoch', async (t) => {
  const { told, webhooks } = sink();
  const { connect } = await startServer(t, {}, { webhooks });
  const first = await connect();
  await first.publish('a');
  await first.leave();
  await (await connect()).publish('a');
  await until('all is told', () => told.length === 3);
  const epochs = told.map(({ data }) => ('epoch' in data ? data.epoch : 0));
  assert.deepEqual(told.map(({ type }) => type).sort(), ['stream.ended', 'stream.started', 'stream.started']);
  const ended = told.find(({ type }) => type === 'stream.ended');
  assert.ok(ended?.type === 'stream.ended');
  assert.equal(ended.data.epoch, Math.min(...epochs));
  assert.equal(new Set(told.map(({ id }) => id)).size, 3);
});

test('the beginning and the end of a recording are told, whichever way it was begun', async (t) => {
  const { told, webhooks } = sink();
  const folder = await mkdtemp(join(tmpdir(), 'millrace-webhooks-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const objects = openFolder(folder);
  const recordings = { launcher: new FakeLauncher(objects), objects };
  const { connect, http } = await startServer(t, {}, { webhooks, recordings });
  const client = await connect();
  await client.publish('a');
  assert.equal((await client.request('record.start', 'a', { fileName: 'one.webm' })).err, 0);
  assert.equal((await client.request('record.stop', 'a')).err, 0);
  const body = JSON.stringify({ stream: 'a', fileName: 'two.webm' });
  const headers = { 'Content-Type': 'application/json' };
  assert.equal((await fetch(`${http}/api/v1/recordings`, { method: 'POST', headers, body })).status, 201);
  await until('all is told', () => told.length >= 4);
  const [, started, ended, other] = told;
  assert.ok(started?.type === 'recording.started' && ended?.type === 'recording.ended');
  assert.equal(started.data.fileName, 'one.webm');
  assert.equal(ended.data.recording, started.data.recording);
  assert.deepEqual([ended.data.stream, ended.data.outcome], ['a', 'completed']);
  assert.ok(other?.type === 'recording.started' && other.data.fileName === 'two.webm');
});
