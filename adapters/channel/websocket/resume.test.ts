import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import type { Channel, ChannelEnd } from '../../../core/channel/channel.ts';
import {
  collect,
  echoing,
  LONG_MS,
  named,
  numbers,
  type TrialCalls,
  type TrialNotice,
  until,
} from '../../../core/channel/conformance-trial.ts';
import type { Peer } from '../../../core/channel/service.ts';
import type { StreamName } from '../../../core/protocol/stream-name.ts';
import type { RecordingId } from '../../../core/recording/recording.ts';
import type { ConnectionLimits } from './connection.ts';
import { CONNECTION_HEADER, RECEIVED_HEADER } from './dial.ts';
import type { Gone } from './gone.ts';
import { clusterToken, connect, secrets, startChannelServer } from './harness/connection.ts';
import { startNetwork } from './harness/network.ts';
import { signChannelToken } from './token.ts';

/** Heartbeats so slow that no busy machine looks dead: most of this is about something else. */
const LIMITS = { heartbeatMs: 1000, resumeMs: 500 };

const endOf = (channel: Channel<TrialCalls, TrialNotice>) =>
  new Promise<ChannelEnd>((resolve) => channel.onClose(resolve));

async function openThroughNetwork(t: TestContext, limits: Partial<ConnectionLimits> = LIMITS) {
  const peers: Peer<TrialNotice>[] = [];
  const ended: Peer<TrialNotice>[] = [];
  const gone: Gone[] = [];
  const answer = Promise.withResolvers<void>();
  const serve = (peer: Peer<TrialNotice>) => {
    peers.push(peer);
    peer.onClose(() => ended.push(peer));
    return {
      ...echoing,
      wait: async ({ name }: { name: string }) => {
        await answer.promise;
        return { name };
      },
    };
  };
  const { server, address } = await startChannelServer(t, serve, { limits });
  const network = await startNetwork(t, address);
  const channel = connect<TrialCalls, TrialNotice>(t, network.address, {
    limits,
    onGone: (told) => gone.push(told),
  });
  await channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS });
  return { server, network, channel, peers, ended, gone, answer: () => answer.resolve() };
}

describe('A connection whose socket broke goes on over another:', () => {
  for (const [name, cut] of [
    ['broken at both ends', 'reset'],
    ['broken at the end that dialled only', 'resetNear'],
  ] as const) {
    test(`calls in flight are answered, and what belongs to it stays, ${name}`, async (t) => {
      const { network, channel, peers, ended, gone, answer } = await openThroughNetwork(t);
      const inFlight = channel.call('wait', { name: 'in flight' }, { timeoutMs: LONG_MS });
      await channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS });
      network[cut]();
      const after = channel.call('echo', { value: 2 }, { timeoutMs: LONG_MS });
      answer();
      assert.deepEqual(await Promise.all([inFlight, after]), [{ name: 'in flight' }, { value: 2 }]);
      assert.deepEqual([peers.length, ended, gone], [1, [], []]);
    });
  }

  test('and stays from then on', async (t) => {
    const { network, channel, ended, gone } = await openThroughNetwork(t, {
      heartbeatMs: 100,
      resumeMs: 200,
    });
    network.reset();
    await channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS });
    await sleep(400);
    await channel.call('echo', { value: 2 }, { timeoutMs: LONG_MS });
    assert.deepEqual([ended, gone], [[], []]);
  });

  test('nothing is lost, doubled or out of order, however often it breaks', async (t) => {
    const { network, channel, peers, gone } = await openThroughNetwork(t, { ...LIMITS, resumeMs: LONG_MS });
    const heard = collect(channel);
    const handled: unknown[] = [];
    const cuts = setInterval(() => Math.random() < 0.5 && network.reset(), 10);
    t.after(() => clearInterval(cuts));
    const endMs = performance.now() + 1500;
    let sent = 0;
    while (performance.now() < endMs) {
      const round = numbers(20).map((index) => sent + index);
      sent += round.length;
      for (const number of round) peers[0]?.notify({ number });
      const calls = round.map((value) => channel.call('echo', { value }, { timeoutMs: LONG_MS }));
      for (const reply of await Promise.all(calls)) handled.push(reply.value);
    }
    clearInterval(cuts);
    await until(() => heard.length >= sent);
    t.diagnostic(`${sent} notices and calls`);
    assert.deepEqual(heard, numbers(sent));
    assert.deepEqual(handled, numbers(sent));
    assert.deepEqual([peers.length, gone], [1, []]);
  });
});

describe('A connection whose socket broke is gone for good', () => {
  test('when another process answers at the address', async (t) => {
    const { network, channel, gone, ended } = await openThroughNetwork(t);
    const { address } = await startChannelServer(t, () => echoing, { limits: LIMITS });
    network.leadTo(address);
    const call = channel.call('wait', { name: 'a' }, { timeoutMs: LONG_MS });
    network.reset();
    await assert.rejects(call, named('no_media_server'));
    assert.equal(gone[0]?.why, 'replaced');
    assert.match(gone[0].detail, /^410/);
    assert.equal(await endOf(channel), 'dead');
    await until(() => ended.length === 1);
  });

  test('when nobody answers within three heartbeats', async (t) => {
    const { network, channel, gone } = await openThroughNetwork(t, { heartbeatMs: 100 });
    network.stall();
    const call = channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS });
    network.reset();
    await assert.rejects(call, named('no_media_server'));
    assert.equal(gone[0]?.why, 'silent');
    assert.match(gone[0].detail, /not open within 300 ms/);
    assert.equal(await endOf(channel), 'dead');
  });

  test('when it comes back too late, which is no evidence of death', async (t) => {
    const { server, network, channel, gone } = await openThroughNetwork(t, {
      heartbeatMs: 10_000,
      resumeMs: 50,
    });
    network.resetFar();
    await until(() => server.size === 0);
    network.resetNear();
    assert.equal(await endOf(channel), 'closed');
    assert.equal(gone[0]?.why, 'expired');
  });

  test('at the other end when nobody comes back in time', async (t) => {
    const { server, network, ended } = await openThroughNetwork(t);
    network.close();
    const brokenAtMs = performance.now();
    network.reset();
    await until(() => ended.length === 1);
    assert.ok(performance.now() - brokenAtMs >= LIMITS.resumeMs - 50);
    assert.equal(server.size, 0);
  });
});

describe('A connection is resumed by nobody', () => {
  const id = randomBytes(16).toString('hex');

  /** @returns the status of the answer; 101 = it is open */
  async function knock(t: TestContext, address: string, headers: Record<string, string>, token?: string) {
    const socket = await dialRaw(t, address, headers, token);
    return new Promise<number | undefined>((resolve) => {
      socket.once('open', () => resolve(101));
      socket.once('unexpected-response', (request, { statusCode }) => {
        resolve(statusCode);
        request.destroy();
      });
    });
  }

  async function openSocket(t: TestContext, address: string): Promise<WebSocket> {
    const socket = await dialRaw(t, address, {});
    await new Promise((resolve) => socket.once('open', resolve));
    return socket;
  }

  async function dialRaw(
    t: TestContext,
    address: string,
    headers: Record<string, string>,
    token?: string,
  ): Promise<WebSocket> {
    const authorization = `Bearer ${token ?? (await clusterToken('pipes'))}`;
    const socket = new WebSocket(`${address}/pipes`, ['millrace-channel.v1'], {
      headers: { authorization, [CONNECTION_HEADER]: id, ...headers },
    });
    t.after(() => socket.terminate());
    socket.on('error', () => {});
    return socket;
  }

  async function taken(t: TestContext) {
    const { server, address } = await startChannelServer(t, () => echoing);
    server.serve('pipes', () => echoing);
    assert.equal(await knock(t, address, {}), 101);
    return { server, address };
  }

  test('who only knows its id, and begins another of that id', async (t) => {
    const { server, address } = await taken(t);
    assert.equal(await knock(t, address, {}), 409);
    assert.equal(server.size, 1);
  });

  test('who has a token of something else', async (t) => {
    const { address } = await taken(t);
    const recording = '0123456789abcdef0123456789abcdef' as RecordingId;
    const stream = 'lobby' as StreamName;
    const claims = { services: ['pipes'], recording, stream, ttlMs: 60_000 } as const;
    const token = await signChannelToken(secrets, claims, Date.now());
    assert.equal(await knock(t, address, { [RECEIVED_HEADER]: '0' }, token), 410);
    assert.equal(await knock(t, address, { [RECEIVED_HEADER]: '0' }), 101);
  });

  test('who claims to have what was never sent', async (t) => {
    const { server, address } = await taken(t);
    await knock(t, address, { [RECEIVED_HEADER]: '5' });
    await until(() => server.size === 0);
  });

  test('after it was closed', async (t) => {
    const { server, address } = await startChannelServer(t, () => echoing);
    server.serve('pipes', (peer) => {
      peer.onClose(() => closed.resolve());
      return echoing;
    });
    const closed = Promise.withResolvers<void>();
    const socket = await openSocket(t, address);
    socket.close(1001);
    await closed.promise;
    assert.equal(await knock(t, address, { [RECEIVED_HEADER]: '0' }), 410);
  });

  test('whose id is none', async (t) => {
    const { address } = await taken(t);
    for (const none of ['', 'x', '__proto__', 'A'.repeat(32)]) {
      assert.equal(await knock(t, address, { [CONNECTION_HEADER]: none }), 400, none);
    }
  });
});
