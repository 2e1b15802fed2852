import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseArguments } from './arguments.ts';
import { SettingsError } from './mistake.ts';
import { readSettings } from './read-settings.ts';
import { type RedisLocation, redisLocation } from './redis-value.ts';
import { redisTarget } from './registry.ts';

const at = (host: string, port: number) => ({ host, port });
const THIS_FILE = import.meta.filename;

describe('Where Redis is:', () => {
  const right: readonly [string, RedisLocation][] = [
    ['redis://cache', { kind: 'single', address: at('cache', 6379), db: 0, tls: false }],
    ['redis://10.0.0.5:6380/3', { kind: 'single', address: at('10.0.0.5', 6380), db: 3, tls: false }],
    ['redis://[fd00::5]', { kind: 'single', address: at('fd00::5', 6379), db: 0, tls: false }],
    ['rediss://cache/', { kind: 'single', address: at('cache', 6379), db: 0, tls: true }],
    [
      `rediss://cache:1?ca=${THIS_FILE}`,
      { kind: 'single', address: at('cache', 1), db: 0, tls: true, caFile: THIS_FILE },
    ],
    [
      'redis+sentinel://a,b:1/main/2',
      { kind: 'sentinel', sentinels: [at('a', 26_379), at('b', 1)], group: 'main', db: 2, tls: false },
    ],
    ['rediss+cluster://a,b:7000', { kind: 'cluster', nodes: [at('a', 6379), at('b', 7000)], tls: true }],
  ];
  for (const [text, value] of right) {
    test(`${text.replace(THIS_FILE, 'FILE')} is understood`, () =>
      assert.deepEqual(redisLocation.parse(text), { value }));
  }

  const wrong: readonly [string, RegExp][] = [
    ['cache:6379', /redis:\/\/HOST:6379/],
    ['http://cache', /redis:\/\/HOST:6379/],
    ['redis://', /redis:\/\/HOST:6379/],
    ['redis://user:secret@cache', /^credentials do not belong here/],
    ['redis://cache/db', /"db" is no number of a database/],
    ['redis://cache/1/2', /no number/],
    ['redis://a,b', /redis\+sentinel/],
    ['redis://cache:0', /no port/],
    ['redis://cache:99999', /HOST/],
    ['redis+sentinel://a,b', /which group/],
    ['redis+cluster://a/1', /one database/],
    [`redis://cache?ca=${THIS_FILE}`, /write rediss/],
    ['rediss://cache?ca=/nonexistent', /no such file/],
  ];
  for (const [text, why] of wrong) {
    test(`${text.replace(THIS_FILE, 'FILE')} is not`, () => {
      const parsed = redisLocation.parse(text);
      assert.ok('wrong' in parsed);
      assert.match(parsed.wrong, why);
      assert.doesNotMatch(parsed.wrong, /user:secret/);
    });
  }
});

describe('What lets this process into Redis', () => {
  const shared = { MILLRACE_CHANNEL_SECRET: 'what all processes of a cluster share' };
  const read = (env: Readonly<Record<string, string>>) =>
    readSettings(parseArguments([]), { ...shared, ...env }).settings;
  const target = (env: Readonly<Record<string, string>>) => {
    const settings = read({ MILLRACE_REDIS: 'redis+sentinel://a/main', ...env });
    assert.ok(settings.redis);
    return redisTarget(settings.redis, settings);
  };

  test('is read from its file at each connection', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-redis-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'password');
    writeFileSync(path, 'first\n');
    const { password } = target({ MILLRACE_REDIS_PASSWORD_FILE: path });
    assert.equal(password?.(), 'first');
    writeFileSync(path, 'second\n');
    assert.equal(password?.(), 'second');
    rmSync(path);
    assert.equal(password?.(), 'second');
  });

  test('is the user, the password and that of the Sentinels', () => {
    const given = target({
      MILLRACE_REDIS_USERNAME: 'millrace',
      MILLRACE_REDIS_PASSWORD: 'hunter22',
      MILLRACE_REDIS_SENTINEL_PASSWORD: 'watching',
    });
    assert.equal(given.username, 'millrace');
    assert.equal(given.password?.(), 'hunter22');
    assert.equal(given.kind === 'sentinel' && given.sentinelPassword?.(), 'watching');
  });

  for (const [what, env] of [
    ['without MILLRACE_REDIS', { MILLRACE_REDIS_PASSWORD: 'hunter22' }],
    [
      'given twice',
      {
        MILLRACE_REDIS: 'redis://a',
        MILLRACE_REDIS_PASSWORD: 'hunter22',
        MILLRACE_REDIS_PASSWORD_FILE: THIS_FILE,
      },
    ],
    [
      'of Sentinels that are not there',
      { MILLRACE_REDIS: 'redis://a', MILLRACE_REDIS_SENTINEL_PASSWORD: 'hunter22' },
    ],
  ] as const) {
    test(`is a mistake ${what}, which is told without it`, () => {
      assert.throws(
        () => read(env),
        (error) =>
          error instanceof SettingsError &&
          error.mistakes.length === 1 &&
          !error.message.includes('hunter22'),
      );
    });
  }
});
