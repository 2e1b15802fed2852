import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { after, describe, type TestContext, test } from 'node:test';
import type { Channel } from '../../../core/channel/channel.ts';
import { echoing, LONG_MS, type TrialCalls, until } from '../../../core/channel/conformance-trial.ts';
import type { PeerIdentity, ServiceName } from '../../../core/channel/service.ts';
import type { StreamName } from '../../../core/protocol/stream-name.ts';
import type { RecordingId } from '../../../core/recording/recording.ts';
import { connectWebSocket, type WebSocketChannelOptions } from './client.ts';
import type { Gone } from './gone.ts';
import { makeAuthority } from './harness/authority.ts';
import { clusterToken, secrets, startChannelServer } from './harness/connection.ts';
import { RECORDER_SERVICES, signChannelToken } from './token.ts';

const [authority, stranger] = await Promise.all([makeAuthority(), makeAuthority()]);
after(() => Promise.all([authority.remove(), stranger.remove()]));
const [here, there, elsewhere] = await Promise.all([
  authority.certificate('here'),
  authority.certificate('there'),
  stranger.certificate('elsewhere'),
]);
const RECORDING = '0123456789abcdef0123456789abcdef' as RecordingId;
const recorderToken = () =>
  signChannelToken(
    secrets,
    { services: RECORDER_SERVICES, recording: RECORDING, stream: 'lobby' as StreamName, ttlMs: 60_000 },
    Date.now(),
  );

async function startServer(t: TestContext) {
  const identities: PeerIdentity[] = [];
  const { server } = await startChannelServer(t, () => echoing, { tls: here });
  for (const service of ['media', 'pipes'] as const) {
    server.serve(service, ({ identity }) => {
      identities.push(identity);
      return echoing;
    });
  }
  return { server, identities, address: `wss://127.0.0.1:${server.port}` };
}

/** @returns why it was not taken; undefined when it was */
async function knock(
  t: TestContext,
  address: string,
  options: Pick<WebSocketChannelOptions, 'token' | 'tls'>,
  service: ServiceName = 'pipes',
): Promise<Gone | undefined> {
  let gone: Gone | undefined;
  const channel: Channel<TrialCalls, never> = connectWebSocket(address, service, {
    maxCallsInFlight: 1,
    onGone: (told) => {
      gone = told;
    },
    ...options,
  });
  t.after(() => channel.close());
  await channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS }).catch(() => {});
  return gone;
}

const none = async () => undefined;

describe('Over TLS', () => {
  test('a process with a certificate of the cluster needs no token', async (t) => {
    const { address, identities } = await startServer(t);
    assert.equal(await knock(t, address, { token: none, tls: () => there }), undefined);
    assert.deepEqual(identities, [{}]);
  });

  test('a process with a token needs no certificate', async (t) => {
    const { address } = await startServer(t);
    const tls = () => ({ ca: authority.ca });
    assert.equal(await knock(t, address, { token: (service) => clusterToken(service), tls }), undefined);
  });

  test('a recorder is known by its token', async (t) => {
    const { address, identities } = await startServer(t);
    const tls = () => ({ ca: authority.ca });
    assert.equal(await knock(t, address, { token: recorderToken, tls }), undefined);
    assert.deepEqual(identities, [{ recording: RECORDING, stream: 'lobby' }]);
    const gone = await knock(t, address, { token: recorderToken, tls }, 'media');
    assert.match(String(gone?.detail), /^401/);
  });

  test('a recorder’s token stays one beside a certificate', async (t) => {
    const { address } = await startServer(t);
    const gone = await knock(t, address, { token: recorderToken, tls: () => there }, 'media');
    assert.match(String(gone?.detail), /^401/);
  });

  test('neither a token nor a certificate is not enough, nor is a certificate of somebody else', async (t) => {
    const { address } = await startServer(t);
    const bare = await knock(t, address, { token: none, tls: () => ({ ca: authority.ca }) });
    assert.match(String(bare?.detail), /^401/);
    const foreign = await knock(t, address, {
      token: none,
      tls: () => ({ ...elsewhere, ca: authority.ca }),
    });
    assert.match(String(foreign?.detail), /^401/);
  });

  test('nobody talks to a process that the cluster’s authority does not know', async (t) => {
    const { address, identities } = await startServer(t);
    const gone = await knock(t, address, { token: none, tls: () => elsewhere });
    assert.equal(gone?.why, 'reset');
    assert.match(gone.detail, /certificate|self.signed/i);
    assert.deepEqual(identities, []);
  });

  test('a new certificate is used from then on', async (t) => {
    const { server, address } = await startServer(t);
    server.setCertificate(elsewhere);
    assert.equal((await knock(t, address, { token: none, tls: () => there }))?.why, 'reset');
    assert.equal(await knock(t, address, { token: none, tls: () => elsewhere }), undefined);
  });

  test('connections that have shown nothing yet are few, and not for long', async (t) => {
    const { server } = await startChannelServer(t, () => echoing, { tls: here, handshakeTimeoutMs: 200 });
    const sockets = Array.from({ length: 100 }, () => connectTcp(server.port, '127.0.0.1'));
    for (const socket of sockets) {
      socket.on('error', () => {});
      t.after(() => socket.destroy());
    }
    await until(() => sockets.every((socket) => socket.destroyed || socket.readableEnded));
  });

  test('a connection that has shown its certificate stays', async (t) => {
    const { server } = await startChannelServer(t, () => echoing, { tls: here, handshakeTimeoutMs: 100 });
    let dialled = 0;
    const token = async () => {
      dialled += 1;
      return undefined;
    };
    const options = { token, tls: () => there, maxCallsInFlight: 1 };
    const address = `wss://127.0.0.1:${server.port}`;
    const channel: Channel<TrialCalls, never> = connectWebSocket(address, 'media', options);
    t.after(() => channel.close());
    const echo = () => channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS });
    await echo();
    const afterwardsMs = performance.now() + 300;
    await until(() => performance.now() > afterwardsMs);
    await echo();
    assert.equal(dialled, 1);
  });
});
