import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SignJWT } from 'jose';
import { echoing, LONG_MS, named, type TrialCalls } from '../../../core/channel/conformance-trial.ts';
import { SERVICE_NAMES, type ServiceName } from '../../../core/channel/service.ts';
import type { StreamName } from '../../../core/protocol/stream-name.ts';
import type { RecordingId } from '../../../core/recording/recording.ts';
import { connectWebSocket } from './client.ts';
import type { Gone } from './gone.ts';
import { clusterToken, connect, SECRET, secrets, startChannelServer } from './harness/connection.ts';
import { RECORDER_SERVICES, signChannelToken } from './token.ts';

const OTHER = Buffer.from('another secret of more than thirty-two bytes');
const RECORDING = '0123456789abcdef0123456789abcdef' as RecordingId;
const STREAM = 'lobby' as StreamName;
const MINUTE_MS = 60_000;

/** Why the channel was not taken. @throws when it was */
async function refusal(address: string, service: ServiceName, token: () => Promise<string>): Promise<Gone> {
  let gone: Gone | undefined;
  const options = { token, maxCallsInFlight: 1, onGone: (told: Gone) => (gone = told) };
  const channel = connectWebSocket<TrialCalls, never>(address, service, options);
  await assert.rejects(channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS }), 'it was let in');
  assert.ok(gone);
  return gone;
}

describe('Whoever connects is refused with 401', () => {
  const expired = Date.now() - 10 * MINUTE_MS;
  const forged = (claims: Record<string, unknown>) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'HS256' });
  const cases: readonly [string, () => Promise<string>][] = [
    ['without a token', async () => ''],
    ['with one that is no token', async () => 'abc'],
    ['with one that is signed by nobody', async () => `${btoa('{"alg":"none"}')}.${btoa('{}')}.`],
    ['with one of another secret', () => clusterToken('media', OTHER)],
    [
      'with an expired one',
      () => signChannelToken(secrets, { services: ['media'], ttlMs: MINUTE_MS }, expired),
    ],
    ['with one for another service', () => clusterToken('pipes')],
    [
      'with one that never expires',
      () =>
        forged({ services: ['media'] })
          .setAudience('millrace-channel')
          .sign(SECRET),
    ],
    [
      'with a client’s token, made of the same secret by mistake',
      () =>
        forged({ services: ['media'] })
          .setAudience('clients')
          .setExpirationTime('1m')
          .sign(SECRET),
    ],
    [
      'with one whose services are no list',
      () =>
        forged({ services: 'media' }).setAudience('millrace-channel').setExpirationTime('1m').sign(SECRET),
    ],
    [
      'with a recorder’s, where recorders have no business',
      () =>
        signChannelToken(
          secrets,
          { services: ['media'], recording: RECORDING, stream: STREAM, ttlMs: MINUTE_MS },
          Date.now(),
        ),
    ],
    ['with one that is far too long', async () => 'a'.repeat(8000)],
  ];
  for (const [name, token] of cases) {
    test(name, async (t) => {
      const refusals: unknown[] = [];
      let served = 0;
      const { address } = await startChannelServer(
        t,
        () => {
          served += 1;
          return echoing;
        },
        { onRefused: (told) => refusals.push(told) },
      );
      const { why, detail } = await refusal(address, 'media', token);
      assert.equal(why, 'rejected');
      assert.match(detail, /^401 .*MILLRACE_CHANNEL_SECRET/);
      assert.equal(served, 0);
      assert.equal(refusals.length, 1);
      const shown = await token();
      if (shown !== '') assert.ok(!JSON.stringify(refusals).includes(shown), 'the token is told');
    });
  }
});

describe('Whoever connects is let in', () => {
  test('with a token of any secret that the server has, and refused when its secret is taken away', async (t) => {
    let current: readonly [Uint8Array, ...Uint8Array[]] = [OTHER, SECRET];
    const { address } = await startChannelServer(t, () => echoing, { secrets: () => current });
    for (const secret of [SECRET, OTHER]) {
      const channel = connect<TrialCalls, never>(t, address, {
        token: (service) => clusterToken(service, secret),
      });
      assert.deepEqual(await channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS }), { value: 1 });
    }
    current = [OTHER];
    const { why } = await refusal(address, 'media', () => clusterToken('media'));
    assert.equal(why, 'rejected');
  });

  test('with a clock that is half a minute late, as clocks are', async (t) => {
    const { address } = await startChannelServer(t, () => echoing, {
      wallClock: () => Date.now() + 90_000,
    });
    const channel = connect<TrialCalls, never>(t, address);
    assert.deepEqual(await channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS }), { value: 1 });
  });

  test('as the recorder of one recording, which is told to what answers it', async (t) => {
    const { server, address } = await startChannelServer(t, () => echoing);
    const identities: unknown[] = [];
    for (const service of SERVICE_NAMES) {
      server.serve(service, ({ identity }) => {
        identities.push([service, identity]);
        return echoing;
      });
    }
    const token = () =>
      signChannelToken(
        secrets,
        { services: RECORDER_SERVICES, recording: RECORDING, stream: STREAM, ttlMs: MINUTE_MS },
        Date.now(),
      );
    for (const service of RECORDER_SERVICES) {
      const channel = connectWebSocket<TrialCalls, never>(address, service, { token, maxCallsInFlight: 1 });
      t.after(() => channel.close());
      await channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS });
    }
    assert.deepEqual(identities, [
      ['pipes', { recording: RECORDING, stream: STREAM }],
      ['recorder', { recording: RECORDING, stream: STREAM }],
    ]);
    assert.match((await refusal(address, 'media', token)).detail, /^401/);
  });
});

test('A service that is not served is refused with 404, to those only who have a token', async (t) => {
  const { address } = await startChannelServer(t, () => echoing);
  assert.match((await refusal(address, 'pipes', () => clusterToken('pipes'))).detail, /^404/);
  assert.match((await refusal(address, 'pipes', async () => 'none')).detail, /^401/);
});

test('A channel whose token cannot be made is gone, and says so', async (t) => {
  const { address } = await startChannelServer(t, () => echoing);
  let gone: Gone | undefined;
  const channel = connect<TrialCalls, never>(t, address, {
    token: () => Promise.reject(new Error('no key')),
    onGone: (told) => {
      gone = told;
    },
  });
  await assert.rejects(channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS }), named('no_media_server'));
  assert.equal(gone?.why, 'rejected');
  assert.match(gone.detail, /no key/);
});
