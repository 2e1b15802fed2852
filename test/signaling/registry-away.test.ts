import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERROR_CODES, type StreamName } from '../../core/protocol/index.ts';
import { until } from './client.ts';
import { startServer } from './server.ts';

const NAME = 'lobby' as StreamName;

test('without the registry new publishes fail at once, and everything that is known goes on', async (t) => {
  const { connect, registry, media } = await startServer(t);
  const publisher = await connect();
  await publisher.publish(NAME);
  registry.away = true;
  const newcomer = await connect();
  const startMs = performance.now();
  assert.equal((await newcomer.publish('new')).err, ERROR_CODES.registry_unavailable);
  assert.ok(performance.now() - startMs < 1000);
  assert.equal((await newcomer.heartbeat()).err, 0);
  assert.equal((await newcomer.play(NAME)).err, 0);
  assert.equal((await newcomer.play('unknown')).err, ERROR_CODES.registry_unavailable);
  assert.equal((await publisher.publish(NAME, 'again')).err, 0);
  assert.equal((await publisher.request('stream.mute', NAME, { audio: true })).err, 0);
  assert.equal((await newcomer.request('stream.close', NAME)).err, 0);
  assert.equal(media.streams.has(NAME), true);
});

test('records that could not be written are written when the registry is back', async (t) => {
  const { connect, registry } = await startServer(t, { resumeMs: 500 });
  registry.away = true;
  const client = await connect();
  const { session } = await client.heartbeat();
  registry.away = false;
  await until('it is written', async () => (await registry.sessions({ limit: 1 }))[0]?.id === session);
});

test('a session is taken over here even without the registry, an unknown one has to wait for it', async (t) => {
  const { connect, registry } = await startServer(t);
  const before = await connect();
  const { session } = await before.publish(NAME);
  registry.away = true;
  const after = await connect();
  assert.equal((await after.heartbeat({ session })).session, session);
  const unknown = await (await connect()).heartbeat({ session: 'AAAAAAAAAAAAAAAAAAAAAA' });
  assert.equal(unknown.err, ERROR_CODES.registry_unavailable);
});
