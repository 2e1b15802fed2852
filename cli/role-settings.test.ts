import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SIGNALING_DEFAULTS } from '../signaling/index.ts';
import { parseArguments } from './arguments.ts';
import { readSettings } from './read-settings.ts';
import { mediaServerSettings, signalingSettings } from './role-settings.ts';
import type { Settings } from './settings.ts';

const ADDRESS = 'ws://127.0.0.1:9444';

function settings(env: Readonly<Record<string, string>> = {}): Settings {
  return readSettings(parseArguments([]), env).settings;
}

describe('what signaling is told', () => {
  it('are its own defaults where nothing is set', () => {
    const { name: _, listeners: __, metricsListen: ___, ...rest } = signalingSettings(settings(), undefined);
    assert.deepEqual(rest, SIGNALING_DEFAULTS);
  });

  it('has the certificate for the first listener only', () => {
    const certificate = { cert: 'cert', key: 'key' };
    assert.deepEqual(signalingSettings(settings(), certificate).listeners, [
      { host: '127.0.0.1', port: 8443, tls: certificate },
      { host: '127.0.0.1', port: 8080 },
    ]);
  });

  it('has the trusted proxies as ranges, a lone address as one of all its bits', () => {
    const proxied = settings({ MILLRACE_TRUSTED_PROXIES: '10.0.0.0/8,192.0.2.7,2001:db8::1' });
    assert.deepEqual(signalingSettings(proxied, undefined).trustedProxies, [
      { address: '10.0.0.0', prefix: 8 },
      { address: '192.0.2.7', prefix: 32 },
      { address: '2001:db8::1', prefix: 128 },
    ]);
  });

  it('has no local listener and no metrics where they are off', () => {
    const off = settings({ MILLRACE_LOCAL_LISTEN: 'off', MILLRACE_METRICS_LISTEN: 'off' });
    const { listeners, metricsListen } = signalingSettings(off, undefined);
    assert.deepEqual(listeners, [{ host: '127.0.0.1', port: 8443 }]);
    assert.equal(metricsListen, undefined);
  });
});

describe('where the media server is told to listen', () => {
  const cases: readonly [string, Record<string, string>, unknown][] = [
    ['is left to it', {}, []],
    ['is what is set', { MILLRACE_RTC_LISTEN: '10.0.0.1, fd00::1' }, [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }]],
    [
      'is every address, announced as one',
      { MILLRACE_ANNOUNCED_ADDRESS: 'media.example.org' },
      [{ ip: '0.0.0.0', announcedAddress: 'media.example.org' }],
    ],
    [
      'is announced address by address',
      { MILLRACE_RTC_LISTEN: '10.0.0.1,fd00::1', MILLRACE_ANNOUNCED_ADDRESS: '192.0.2.1,2001:db8::1' },
      [
        { ip: '10.0.0.1', announcedAddress: '192.0.2.1' },
        { ip: 'fd00::1', announcedAddress: '2001:db8::1' },
      ],
    ],
  ];
  for (const [what, env, expected] of cases) {
    it(what, () =>
      assert.deepEqual(mediaServerSettings(settings(env), '0.1.0', ADDRESS).rtcListen, expected),
    );
  }

  it('comes with an id that differs from start to start', () => {
    const [first, second] = [1, 2].map(() => mediaServerSettings(settings(), '0.1.0', ADDRESS).nodeId);
    assert.notEqual(first, second);
  });
});
