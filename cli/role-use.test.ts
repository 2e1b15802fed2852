import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseArguments } from './arguments.ts';
import { SettingsError } from './mistake.ts';
import { readSettings } from './read-settings.ts';

/** One environment for all processes of a cluster. */
const SHARED = {
  MILLRACE_REDIS: 'redis://10.0.0.5',
  MILLRACE_CHANNEL_SECRET: 'what all processes of a cluster share',
  MILLRACE_AUTH: 'off',
  MILLRACE_LISTEN: '0.0.0.0:8443',
  MILLRACE_RTC_PORT: '22000',
  MILLRACE_CHANNEL_LISTEN: '0.0.0.0:9444',
  MILLRACE_LOG_LEVEL: 'warn',
};

const read = (command: string, env: Readonly<Record<string, string>>) =>
  readSettings(parseArguments([command]), env);

describe('A role', () => {
  test('uses what is its own of what all are given, and says what is not', () => {
    const signaling = read('signaling', SHARED);
    assert.deepEqual(signaling.settings.listen, { host: '0.0.0.0', port: 8443 });
    assert.equal(signaling.settings.rtcPort, 20_000);
    assert.deepEqual(signaling.passedOver, ['rtcPort', 'channelListen']);
    const media = read('media-server', SHARED);
    assert.equal(media.settings.rtcPort, 22_000);
    assert.equal(media.settings.logLevel, 'warn');
    assert.deepEqual(media.settings.channelListen, { host: '0.0.0.0', port: 9444 });
    assert.deepEqual(media.passedOver, ['listen', 'auth']);
    assert.deepEqual(read('all', SHARED).passedOver, []);
  });

  test('is not stopped by what is wrong with settings of others', () => {
    // Clients would be let in without authorisation, were there any.
    const { MILLRACE_AUTH: _, ...open } = SHARED;
    assert.throws(() => read('signaling', open), SettingsError);
    assert.deepEqual(read('media-server', open).passedOver, ['listen']);
    assert.throws(() => read('media-server', { ...SHARED, MILLRACE_RTC_PORT: 'many' }), SettingsError);
    read('signaling', { ...SHARED, MILLRACE_RTC_PORT: 'many' });
  });

  test('is stopped by a name that is no setting of any', () => {
    assert.throws(() => read('signaling', { ...SHARED, MILLRACE_RTC_PROT: '1' }), SettingsError);
  });
});

describe('Processes that share a registry', () => {
  test('need a secret', () => {
    const { MILLRACE_CHANNEL_SECRET: _, ...without } = SHARED;
    for (const command of ['signaling', 'media-server', 'all'])
      assert.throws(() => read(command, without), SettingsError, command);
  });
});

describe('The internal channel', () => {
  const OPEN = { MILLRACE_CHANNEL_LISTEN: '0.0.0.0:9444' };
  const SECRET = 'of thirty-two bytes or even more';
  const mistakes = (env: Readonly<Record<string, string>>): string => {
    try {
      read('all', env);
    } catch (error) {
      if (error instanceof SettingsError) return error.message;
    }
    return '';
  };

  test('is open to other machines with a secret, or several, or a file of them', () => {
    const { settings } = read('all', { ...OPEN, MILLRACE_CHANNEL_SECRET: `${SECRET}, ${SECRET}!` });
    assert.deepEqual(settings.channelSecret, [SECRET, `${SECRET}!`]);
    read('all', { ...OPEN, MILLRACE_CHANNEL_SECRET_FILE: import.meta.filename });
  });

  for (const [what, env, wrong] of [
    ['without', OPEN, /MILLRACE_CHANNEL_SECRET/],
    ['with one that is short', { ...OPEN, MILLRACE_CHANNEL_SECRET: 'hunter22' }, /8 bytes/],
    ['with one of several that is short', { MILLRACE_CHANNEL_SECRET: `${SECRET},hunter22` }, /8 bytes/],
    [
      'with two sources',
      { MILLRACE_CHANNEL_SECRET: SECRET, MILLRACE_CHANNEL_SECRET_FILE: import.meta.filename },
      /two sources/,
    ],
  ] as const) {
    test(`is not opened ${what}, and no secret is shown`, () => {
      assert.match(mistakes(env), wrong);
      assert.doesNotMatch(mistakes(env), /hunter22|thirty-two/);
    });
  }
});

describe('Certificates of the internal channel', () => {
  const FILE = import.meta.filename;
  const CERTIFICATES = {
    MILLRACE_CHANNEL_TLS_CA: FILE,
    MILLRACE_CHANNEL_TLS_CERT: FILE,
    MILLRACE_CHANNEL_TLS_KEY: FILE,
  };

  test('stand for the secret', () => {
    read('signaling', { MILLRACE_REDIS: 'redis://10.0.0.5', ...CERTIFICATES });
    read('media-server', {
      MILLRACE_REDIS: 'redis://10.0.0.5',
      MILLRACE_CHANNEL_LISTEN: '0.0.0.0:9444',
      ...CERTIFICATES,
    });
  });

  for (const missing of Object.keys(CERTIFICATES)) {
    test(`are of no use without ${missing}`, () => {
      const env = Object.fromEntries(Object.entries(CERTIFICATES).filter(([name]) => name !== missing));
      assert.throws(() => read('all', env), new RegExp(`${missing} is missing`));
    });
  }
});
