import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseArguments } from './arguments.ts';
import { type Mistake, SettingsError } from './mistake.ts';
import { readSettings } from './read-settings.ts';
import type { Settings } from './settings.ts';

interface Given {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly file?: string;
}

function read({ flags = [], env = {}, file }: Given): Settings {
  const environment = file === undefined ? env : { MILLRACE_CONFIG: 'millrace.json', ...env };
  return readSettings(parseArguments(flags), environment, () => file ?? '').settings;
}

function mistakes(given: Given): readonly Mistake[] {
  try {
    read(given);
  } catch (error) {
    if (error instanceof SettingsError) return error.mistakes;
    throw error;
  }
  return [];
}

describe('settings', () => {
  it('have defaults that serve this machine only', () => {
    const settings = read({});
    assert.deepEqual(settings.listen, { host: '127.0.0.1', port: 8443 });
    assert.deepEqual(settings.localListen, { host: '127.0.0.1', port: 8080 });
    assert.deepEqual(settings.metricsListen, { host: '127.0.0.1', port: 9464 });
    assert.equal(settings.auth, undefined);
    assert.equal(settings.rtcPort, 20_000);
    assert.equal(settings.heartbeatTimeout, 30_000);
    assert.equal(settings.maxMessageSize, 256 * 1024);
    assert.deepEqual(settings.codecs, ['opus', 'VP8', 'H264', 'VP9', 'AV1']);
  });

  it('come from a flag before the environment, and from that before the file', () => {
    const file = '{"rtc_port": 41001, "workers": 3, "reply_method": "ack"}';
    const env = { MILLRACE_RTC_PORT: '41002', MILLRACE_WORKERS: '4' };
    const { rtcPort, workers, replyMethod } = read({ flags: ['--rtc-port', '41003'], env, file });
    assert.deepEqual({ rtcPort, workers, replyMethod }, { rtcPort: 41_003, workers: 4, replyMethod: 'ack' });
  });

  it('take a list in the file as an array', () => {
    assert.deepEqual(read({ file: '{"codecs": ["opus", "H264"]}' }).codecs, ['opus', 'H264']);
  });

  it('take the file that --config names before the one of the environment', () => {
    const seen: string[] = [];
    readSettings(parseArguments(['--config=b.json']), { MILLRACE_CONFIG: 'a.json' }, (path) => {
      seen.push(path);
      return '{}';
    });
    assert.deepEqual(seen, ['b.json']);
  });

  it('take an empty variable as an unset one', () => {
    assert.equal(read({ env: { MILLRACE_RTC_PORT: '', MILLRACE_NO_SUCH_THING: '' } }).rtcPort, 20_000);
  });

  it('leave variables of other programs alone', () => {
    assert.deepEqual(mistakes({ env: { MILL: '1', PATH: '/bin' } }), []);
  });

  it('name every mistake at once, with its value, its source and what is right', () => {
    const found = mistakes({
      flags: ['--workers', 'many'],
      env: { MILLRACE_RTC_PORT: 'forty', MILLRACE_RESUME_TIMEOUT: '60' },
      file: '{"listn": "127.0.0.1:1"}',
    });
    assert.deepEqual(
      found.map(({ text, source }) => [text, source]),
      [
        ['"listn": "127.0.0.1:1"', 'millrace.json'],
        ['--workers many', 'argument'],
        ['MILLRACE_RTC_PORT=forty', 'environment'],
        ['MILLRACE_RESUME_TIMEOUT=60', 'environment'],
      ].sort((a, b) => order(found, a) - order(found, b)),
    );
    const message = new SettingsError(found).message;
    assert.match(message, /4 settings are wrong/);
    assert.match(message, /did you mean listen\?/);
    assert.match(message, /not a whole number from 1 to 256/);
    assert.match(message, /write it like 500ms, 30s/);
  });
});

function order(found: readonly Mistake[], [text]: readonly string[]): number {
  return found.findIndex((mistake) => mistake.text === text);
}

const open = { MILLRACE_LISTEN: '0.0.0.0:8443', MILLRACE_AUTH: 'off' };
const CASES: readonly { readonly what: string; readonly given: Given; readonly wrong?: RegExp }[] = [
  { what: 'listening on the network with MILLRACE_AUTH=off', given: { env: open } },
  {
    what: 'listening on the network without authorisation',
    given: { env: { MILLRACE_LISTEN: '0.0.0.0:8443' } },
    wrong: /MILLRACE_AUTH=off/,
  },
  { what: 'listening on [::1]', given: { env: { MILLRACE_LISTEN: '[::1]:8443' } } },
  { what: 'local listening off', given: { env: { MILLRACE_LOCAL_LISTEN: 'off' } } },
  {
    what: 'local listening on the network',
    given: { env: { ...open, MILLRACE_LOCAL_LISTEN: '10.0.0.1:80' } },
    wrong: /this machine only/,
  },
  { what: 'an unclosed bracket', given: { env: { MILLRACE_LISTEN: '[::1:8443' } }, wrong: /not HOST:PORT/ },
  {
    what: 'an IPv6 address without brackets',
    given: { env: { MILLRACE_LISTEN: '::1:8443' } },
    wrong: /not HOST:PORT/,
  },
  {
    what: 'a mistyped IPv4 address',
    given: { env: { MILLRACE_LISTEN: '127.0.1:8443' } },
    wrong: /not HOST:PORT/,
  },
  { what: 'a port beyond 65535', given: { env: { MILLRACE_LISTEN: '127.0.0.1:70000' } }, wrong: /from 0/ },
  {
    what: 'a certificate without a key',
    given: { env: { MILLRACE_TLS_CERT: '/etc/hosts' } },
    wrong: /MILLRACE_TLS_KEY is missing/,
  },
  {
    what: 'a certificate that is not there',
    given: { env: { MILLRACE_TLS_CERT: '/no/such' } },
    wrong: /no such file/,
  },
  {
    what: 'a certificate while TLS is off',
    given: { env: { MILLRACE_TLS: 'off', MILLRACE_TLS_CERT: '/etc/hosts', MILLRACE_TLS_KEY: '/etc/hosts' } },
    wrong: /TLS is off/,
  },
  {
    what: 'a worker that cannot be executed',
    given: { env: { MILLRACE_WORKER_BIN: '/etc' } },
    wrong: /not a file/,
  },
  {
    what: 'two listeners on one port',
    given: { env: { MILLRACE_LOCAL_LISTEN: '127.0.0.1:8443' } },
    wrong: /one port/,
  },
  {
    what: 'one port on any and on one address',
    given: { env: { ...open, MILLRACE_METRICS_LISTEN: '127.0.0.1:8443' } },
    wrong: /one port/,
  },
  {
    what: 'two listeners on any free port',
    given: { env: { MILLRACE_LISTEN: '127.0.0.1:0', MILLRACE_LOCAL_LISTEN: '127.0.0.1:0' } },
  },
  { what: 'any ports for pipes', given: { env: { MILLRACE_PIPE_PORTS: '0' } } },
  {
    what: 'a range of ports that ends before it begins',
    given: { env: { MILLRACE_PIPE_PORTS: '21199-21000' } },
    wrong: /no range of ports/,
  },
  {
    what: 'ports for pipes that clients have too',
    given: { env: { MILLRACE_PIPE_PORTS: '20000-20010' } },
    wrong: /must not overlap/,
  },
  {
    what: 'pipes at no address in particular',
    given: { env: { MILLRACE_PIPE_LISTEN: '0.0.0.0' } },
    wrong: /others are told this address/,
  },
  {
    what: 'more workers than ports are left',
    given: { env: { MILLRACE_RTC_PORT: '65535', MILLRACE_WORKERS: '2' } },
    wrong: /beyond 65535/,
  },
  {
    what: 'one announced address for all',
    given: { env: { MILLRACE_ANNOUNCED_ADDRESS: 'media.example.org' } },
  },
  {
    what: 'two announced addresses for one',
    given: { env: { MILLRACE_ANNOUNCED_ADDRESS: '192.0.2.1,192.0.2.2' } },
    wrong: /MILLRACE_RTC_LISTEN/,
  },
  {
    what: 'an announced address for each',
    given: {
      env: { MILLRACE_RTC_LISTEN: '10.0.0.1,fd00::1', MILLRACE_ANNOUNCED_ADDRESS: '192.0.2.1,2001:db8::1' },
    },
  },
  { what: 'a codec twice', given: { env: { MILLRACE_CODECS: 'VP8,vp8' } }, wrong: /named twice/ },
  {
    what: 'a default bitrate above the limit',
    given: { env: { MILLRACE_DEFAULT_BITRATE: '30M' } },
    wrong: /above the limit/,
  },
  {
    what: 'an origin with a path',
    given: { env: { MILLRACE_ALLOWED_ORIGINS: 'https://example.org/page' } },
    wrong: /without a path/,
  },
  {
    what: 'origins',
    given: { env: { MILLRACE_ALLOWED_ORIGINS: 'https://example.org,http://localhost:3000' } },
  },
  {
    what: 'proxies as addresses and ranges',
    given: { env: { MILLRACE_TRUSTED_PROXIES: '10.0.0.0/8, 192.0.2.7, ::1, 2001:db8::/32, 0.0.0.0/0' } },
  },
  {
    what: 'a range of more bits than there are',
    given: { env: { MILLRACE_TRUSTED_PROXIES: '10.0.0.0/33' } },
    wrong: /write it like/,
  },
  {
    what: 'a range without its length',
    given: { env: { MILLRACE_TRUSTED_PROXIES: '10.0.0.0/' } },
    wrong: /write it like/,
  },
  {
    what: 'a proxy by its name',
    given: { env: { MILLRACE_TRUSTED_PROXIES: 'proxy.example' } },
    wrong: /write it like/,
  },
  {
    what: 'STUN and TURN servers with a secret',
    given: {
      env: {
        MILLRACE_ICE_SERVERS:
          'stun:stun.example, turn:192.0.2.7:3478?transport=udp, turns:[2001:db8::7]:443?transport=tcp',
        MILLRACE_TURN_SECRET: 'known to the TURN server',
      },
    },
  },
  {
    what: 'a TURN server without a secret',
    given: { env: { MILLRACE_ICE_SERVERS: 'stun:a.example,turn:a.example' } },
    wrong: /turn:a\.example wants credentials: MILLRACE_TURN_SECRET is missing/,
  },
  {
    what: 'the secret of no TURN server',
    given: {
      env: { MILLRACE_ICE_SERVERS: 'stun:a.example', MILLRACE_TURN_SECRET: 'known to the TURN server' },
    },
    wrong: /names no TURN server/,
  },
  {
    what: 'a TURN server as a web address',
    given: { env: { MILLRACE_ICE_SERVERS: 'https://turn.example' } },
    wrong: /write it like stun:HOST/,
  },
  {
    what: 'webhooks without a secret',
    given: { env: { MILLRACE_WEBHOOK_URL: 'https://app.example.org/news' } },
    wrong: /MILLRACE_WEBHOOK_SECRET is missing/,
  },
  {
    what: 'webhooks with a secret',
    given: {
      env: { MILLRACE_WEBHOOK_URL: 'https://app.example.org/news', MILLRACE_WEBHOOK_SECRET: 's'.repeat(32) },
    },
  },
  { what: 'a time without its unit', given: { env: { MILLRACE_PING_INTERVAL: '20' } }, wrong: /30s/ },
  { what: 'a file that is not JSON', given: { file: '{' }, wrong: /not JSON/ },
  { what: 'a file that is no object', given: { file: '[]' }, wrong: /not a JSON object/ },
  { what: 'a switch in the file', given: { file: '{"tls": true}' }, wrong: /not a string/ },
  { what: 'a flag given twice', given: { flags: ['--workers', '1', '--workers=2'] }, wrong: /twice/ },
  {
    what: 'a flag without its value',
    given: { flags: ['--workers', '--tls', 'off'] },
    wrong: /value is missing/,
  },
  { what: 'an unknown flag and its value', given: { flags: ['--worker', '2'] }, wrong: /mean --workers\?/ },
  { what: 'an unknown command', given: { flags: ['setings'] }, wrong: /mean settings\?/ },
  { what: 'two commands', given: { flags: ['all', 'settings'] }, wrong: /second command/ },
];

describe('settings that are checked at the start', () => {
  for (const { what, given, wrong } of CASES) {
    it(`${wrong ? 'refuse' : 'allow'} ${what}`, () => {
      const found = mistakes(given);
      if (wrong === undefined) return assert.deepEqual(found, []);
      assert.equal(found.length, 1, JSON.stringify(found));
      assert.match(found[0]?.wrong ?? '', wrong);
    });
  }

  it('do not draw conclusions from a value that was not understood', () => {
    const found = mistakes({ env: { MILLRACE_LISTEN: 'nonsense', MILLRACE_LOCAL_LISTEN: '127.0.0.1:8443' } });
    assert.deepEqual(
      found.map(({ text }) => text),
      ['MILLRACE_LISTEN=nonsense'],
    );
  });
});
