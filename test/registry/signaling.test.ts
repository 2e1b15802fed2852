import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ERROR_CODES, type SessionId, type StreamName } from '../../core/protocol/index.ts';
import { eventually } from '../harness/condition.ts';
import { startRedis } from '../harness/redis.ts';
import { FakeMediaServer } from '../signaling/fake-media-server.ts';
import { flaky, startServer } from '../signaling/server.ts';
import { openRegistry, settle, single } from './harness/process.ts';

const NAME = 'lobby' as StreamName;
const SOON = { everyMs: 10, timeoutMs: 10_000 };

test('while Redis is away clients are served but for new publishes, and when it is back empty it has their sessions again', async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  await settle(redis);
  const { registry } = openRegistry(t, single(redis));
  const watching = openRegistry(t, single(redis)).registry;
  const media = await FakeMediaServer.start(registry);
  const { connect } = await startServer(
    t,
    { limits: { sessions: 500 } },
    { registry: flaky(registry), media },
  );
  const publisher = await connect();
  const published = await publisher.publish(NAME);
  assert.equal(published.err, 0, published.err_msg);
  const clients = await Promise.all(Array.from({ length: 100 }, () => connect()));
  const viewers = await Promise.all(clients.map((client) => client.play(NAME)));
  assert.ok(viewers.every(({ err }) => err === 0));
  const [viewer, another] = clients;
  assert.ok(viewer && another);

  await redis.kill();
  const awayMs = performance.now();
  for (let round = 0; round < 10; round++) {
    const newcomer = await connect();
    const startMs = performance.now();
    assert.equal((await newcomer.publish(`new ${round}`)).err, ERROR_CODES.registry_unavailable);
    assert.ok(performance.now() - startMs < 1000);
    assert.equal((await newcomer.heartbeat()).err, 0);
    assert.equal((await newcomer.play(NAME)).err, 0);
    assert.equal((await viewer.request('stream.mute', NAME, { audio: true })).err, 0);
    assert.equal((await publisher.publish(NAME, `offer ${round}`)).err, 0);
    await newcomer.leave();
    await sleep(200);
  }
  assert.equal((await another.request('stream.close', NAME)).err, 0);
  t.diagnostic(`away for ${Math.round(performance.now() - awayMs)} ms`);

  await redis.start();
  const backMs = performance.now();
  const sessions = [published, ...viewers].map(({ session }) => session as SessionId);
  await eventually(
    'all sessions',
    async () => {
      const found = await Promise.all(sessions.map((id) => watching.findSession(id).catch(() => undefined)));
      return found.every((record) => record?.connected === true);
    },
    SOON,
  );
  const tookMs = performance.now() - backMs;
  t.diagnostic(`${sessions.length} sessions are known again after ${Math.round(tookMs)} ms`);
  assert.ok(tookMs < 3000);
  // The stream itself is its media server's to announce, and this one has no such thing.
  assert.equal((await viewer.play(NAME, 'again')).err, 0);
  const newcomer = await connect();
  await eventually('publishes are taken', async () => (await newcomer.publish('new')).err === 0, {
    everyMs: 100,
  });
  for (const client of [publisher, ...clients]) assert.equal((await client.heartbeat()).err, 0);
});

test('a session that another process took while Redis was away from its first one is let go of there', async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  await settle(redis);
  const own = openRegistry(t, single(redis)).registry;
  const other = openRegistry(t, single(redis)).registry;
  const media = await FakeMediaServer.start(own);
  const cutOff = flaky(own);
  const first = await startServer(t, { resumeMs: 2000 }, { registry: cutOff, media });
  const second = await startServer(t, { name: 'signaling-2' }, { registry: flaky(other), media });
  const before = await first.connect();
  const { session } = await before.publish(NAME);
  cutOff.away = true;
  const after = await second.connect();
  const reply = await after.heartbeat({ session });
  assert.equal(reply.err, 0, reply.err_msg);
  assert.equal((await before.heartbeat()).err, 0);
  cutOff.away = false;
  // Its first process learns of that when it renews the session.
  await before.end();
  const record = await other.findSession(session as SessionId);
  assert.deepEqual([record?.signaling, record?.holds.length], ['signaling-2', 1]);
  assert.equal((await other.findStream(NAME))?.session, session);
});
