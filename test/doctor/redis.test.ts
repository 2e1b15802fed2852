import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import type { Finding, Level } from '../../cli/doctor/finding.ts';
import { eventually } from '../harness/condition.ts';
import { type RedisConfig, startCluster, startRedis, startSentinels } from '../harness/redis.ts';
import { startSlowProxy } from '../registry/harness/slow-proxy.ts';
import { stateFolder } from '../start/process.ts';
import { doctor, freePort } from './doctor.ts';

const state = stateFolder();
after(() => state.remove());
const SECRET = { MILLRACE_CHANNEL_SECRET: 'what all processes of a cluster share' };

async function start(t: TestContext, config: RedisConfig = {}) {
  const redis = await startRedis(config);
  t.after(() => redis.stop());
  return redis;
}

/** What it finds of that place, and that its exit code fits. */
async function redisAt(
  place: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<readonly Finding[]> {
  const said = await doctor(state.path, { settings: { ...SECRET, MILLRACE_REDIS: place, ...settings } });
  const found = said.of('redis');
  if (found.some(({ level }) => level === 'wrong')) assert.equal(said.exitCode, 1);
  return found;
}

function says(findings: readonly Finding[], level: Level, seen: RegExp, fix?: RegExp): void {
  const [found, ...more] = findings;
  assert.equal(found?.level, level, JSON.stringify(findings));
  assert.match(found.seen, seen);
  if (fix) assert.match('fix' in found ? found.fix : '', fix);
  assert.deepEqual(more, []);
}

const urlOf = ({ address }: { readonly address: { readonly host: string; readonly port: number } }) =>
  `redis://${address.host}:${address.port}`;

describe('the doctor looks at Redis, and', () => {
  it('says that there is none to look at', async () => {
    const said = await doctor(state.path);
    says(said.of('redis'), 'info', /MILLRACE_REDIS is not set/);
  });

  it('uses it, tells its version, and leaves nothing of that', async (t) => {
    const redis = await start(t);
    says(
      await redisAt(urlOf(redis)),
      'ok',
      /^127\.0\.0\.1:\d+ is Redis 7[\d.]+, and does .*; a call takes [\d.]+ ms$/,
    );
    assert.deepEqual(await redis.command('PUBSUB', 'CHANNELS'), []);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    assert.deepEqual(await redis.command('KEYS', '*'), []);
  });

  it('finds it by its Sentinels, and as a cluster', async (t) => {
    const group = await startSentinels(1, 1);
    t.after(() => group.stop());
    const sentinels = group.sentinels.map(({ address: { host, port } }) => `${host}:${port}`).join();
    says(
      await redisAt(`redis+sentinel://${sentinels}/millrace`),
      'ok',
      /"millrace" of the Sentinels .* is Redis 7/,
    );
    says(
      await redisAt(`redis+sentinel://${sentinels}/other`),
      'wrong',
      /cannot be reached/,
      /MILLRACE_REDIS/,
    );
    const cluster = await startCluster();
    t.after(() => cluster.stop());
    const nodes = cluster.nodes.map(({ address: { host, port } }) => `${host}:${port}`).join();
    says(await redisAt(`redis+cluster://${nodes}`), 'ok', /the cluster of .* is Redis 7/);
    await cluster.nodes[2]?.kill();
    await eventually('its state', async () =>
      String(await cluster.nodes[0]?.command('CLUSTER', 'INFO')).includes('cluster_state:fail'),
    );
    says(
      await redisAt(`redis+cluster://${nodes}`),
      'wrong',
      /has no node now for what was asked/,
      /CLUSTER NODES/,
    );
  });

  it('finds nobody there', async () => {
    says(await redisAt(`redis://127.0.0.1:${await freePort()}`), 'wrong', /ECONNREFUSED/, /Start Redis/);
  });

  it('is not let in without the right password', async (t) => {
    const redis = await start(t, { requirepass: 'right-password' });
    says(await redisAt(urlOf(redis)), 'wrong', /asks for a password/, /MILLRACE_REDIS_PASSWORD_FILE/);
    const file = join(state.path, 'password');
    writeFileSync(file, 'wrong-password\n');
    const settings = { MILLRACE_REDIS_PASSWORD_FILE: file };
    says(await redisAt(urlOf(redis), settings), 'wrong', /refuses the user name or password/, /requirepass/);
    writeFileSync(file, 'right-password\n');
    says(await redisAt(urlOf(redis), settings), 'ok', /does what the registry needs/);
  });

  it('may not do what the registry needs', async (t) => {
    const redis = await start(t);
    await redis.command('ACL', 'SETUSER', 'media', 'on', '>secret-of-media', '~other*', '+@all');
    const settings = { MILLRACE_REDIS_USERNAME: 'media', MILLRACE_REDIS_PASSWORD: 'secret-of-media' };
    says(await redisAt(urlOf(redis), settings), 'wrong', /does not allow this user/, /~PREFIX\*/);
    await redis.command('ACL', 'SETUSER', 'media', 'resetkeys', '~{millrace:*', '&{millrace:*', '+@all');
    says(await redisAt(urlOf(redis), settings), 'ok', /does what/);
  });

  it('cannot write to a replica, or where memory is full', async (t) => {
    const redis = await start(t);
    await redis.command('REPLICAOF', '127.0.0.1', '1');
    says(await redisAt(urlOf(redis)), 'wrong', /takes no writes: it is a replica/, /Name the master/);
    await redis.command('REPLICAOF', 'NO', 'ONE');
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    says(await redisAt(urlOf(redis)), 'wrong', /its memory is full/, /more memory/);
  });

  it('sees that keys would be thrown away', async (t) => {
    const redis = await start(t, { maxmemory: '64mb', 'maxmemory-policy': 'allkeys-lru' });
    says(await redisAt(urlOf(redis)), 'warning', /when its 64 MiB are full/, /noeviction/);
  });

  it('finds it slow', async (t) => {
    const redis = await start(t);
    const proxy = await startSlowProxy(redis.address);
    t.after(() => proxy.stop());
    proxy.delayMs = 70;
    says(await redisAt(urlOf(proxy)), 'warning', /a call takes 1\d\d ms/, /nearer/);
    proxy.delayMs = 1500;
    says(await redisAt(urlOf(proxy)), 'wrong', /cannot be reached|does not answer/);
  });
});
