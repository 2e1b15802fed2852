import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import WebSocket from 'ws';
import {
  echoing,
  LONG_MS,
  named,
  SHORT_MS,
  type TrialCalls,
  type TrialNotice,
  until,
} from '../../../core/channel/conformance-trial.ts';
import type { Peer } from '../../../core/channel/service.ts';
import type { Gone } from './gone.ts';
import { clusterToken, connect, startChannelServer } from './harness/connection.ts';

const KIB = 1024;

describe('The answering end', () => {
  test('refuses calls beyond its own bound, and takes others when some are done', async (t) => {
    const waiting: (() => void)[] = [];
    const serve = () => ({
      ...echoing,
      wait: ({ name }: { name: string }) =>
        new Promise<{ name: string }>((resolve) => waiting.push(() => resolve({ name }))),
    });
    const { address } = await startChannelServer(t, serve, { maxCallsInFlight: 2 });
    const channel = connect<TrialCalls, never>(t, address);
    const calls = ['a', 'b'].map((name) => channel.call('wait', { name }, { timeoutMs: LONG_MS }));
    await until(() => waiting.length === 2);
    const third = () => channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS });
    await assert.rejects(third(), named('too_many'));
    for (const answer of waiting) answer();
    await Promise.all(calls);
    assert.deepEqual(await third(), { value: 1 });
  });

  test('counts a call until its handler is done, though nobody waits for it any more', async (t) => {
    const waiting: (() => void)[] = [];
    const serve = () => ({
      ...echoing,
      wait: () => new Promise<{ name: string }>((resolve) => waiting.push(() => resolve({ name: '' }))),
    });
    const { address } = await startChannelServer(t, serve, { maxCallsInFlight: 1 });
    const channel = connect<TrialCalls, never>(t, address);
    await channel.call('echo', { value: 0 }, { timeoutMs: LONG_MS });
    await assert.rejects(channel.call('wait', { name: 'a' }, { timeoutMs: SHORT_MS }), named('timed_out'));
    const echo = () => channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS });
    await assert.rejects(echo(), named('too_many'));
    waiting[0]?.();
    await until(() => waiting.length === 1);
    assert.deepEqual(await echo(), { value: 1 });
  });

  test('ends the connection of a caller that reads too slowly', async (t) => {
    let peer: Peer<unknown> | undefined;
    const gone: Gone[] = [];
    const { address, server } = await startChannelServer(
      t,
      (told) => {
        peer = told as Peer<unknown>;
        return echoing;
      },
      { limits: { maxBufferedBytes: 256 * KIB }, onGone: (_, told) => gone.push(told) },
    );
    const socket = new WebSocket(`${address}/media`, ['millrace-channel.v1'], {
      headers: { authorization: `Bearer ${await clusterToken('media')}` },
    });
    t.after(() => socket.terminate());
    await new Promise((resolve) => socket.once('open', resolve));
    socket.pause();
    await until(() => {
      peer?.notify('x'.repeat(64 * KIB));
      return gone.length > 0;
    });
    assert.equal(gone[0]?.why, 'slow_reader');
    assert.equal(server.size, 0);
    peer?.notify('nobody is there'); // and nothing happens
  });
});

describe('A message longer than the channel carries', () => {
  const limits = { maxMessageBytes: 64 * KIB };
  const long = 'x'.repeat(64 * KIB);

  test('fails its call when it is a request, and is not sent', async (t) => {
    const { address } = await startChannelServer(t, () => echoing, { limits });
    const channel = connect<TrialCalls, never>(t, address, { limits });
    const call = (value: string) => channel.call('echo', { value }, { timeoutMs: LONG_MS });
    await assert.rejects(call(long), named('too_large'), 'before the channel is open');
    assert.deepEqual(await call('short'), { value: 'short' });
    await assert.rejects(call(long), named('too_large'), 'afterwards');
    assert.deepEqual(await call('short'), { value: 'short' });
  });

  test('fails its call when it is a reply, and the channel stays', async (t) => {
    const serve = () => ({ ...echoing, echo: async () => ({ value: long }) });
    const { address, errors } = await startChannelServer(t, serve, { limits });
    const channel = connect<TrialCalls, never>(t, address, { limits });
    await assert.rejects(channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS }), named('too_large'));
    assert.deepEqual(await channel.call('wait', { name: 'a' }, { timeoutMs: LONG_MS }), { name: 'a' });
    assert.equal(errors.length, 1);
  });

  test('ends the channel when it is a notice, as its reader would miss something', async (t) => {
    let peer: Peer<TrialNotice> | undefined;
    const serve = (told: Peer<TrialNotice>) => {
      peer = told;
      return echoing;
    };
    const { address } = await startChannelServer(t, serve, { limits });
    const channel = connect<TrialCalls, TrialNotice>(t, address, { limits });
    await channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS });
    const closed = new Promise((resolve) => channel.onClose(resolve));
    peer?.notify({ number: 1, text: long } as TrialNotice);
    await closed;
  });
});

describe('Before it is open', () => {
  test('a channel holds a bounded amount for later', async (t) => {
    const { address } = await startChannelServer(t, () => echoing);
    const channel = connect<TrialCalls, never>(t, address, { limits: { maxBufferedBytes: 1000 * KIB } });
    const call = () => channel.call('echo', { value: 'x'.repeat(600 * KIB) }, { timeoutMs: LONG_MS });
    const first = call();
    await assert.rejects(call(), named('too_many'));
    await first;
    await call();
  });

  test('a call whose time is up is not made later', async (t) => {
    const handled: unknown[] = [];
    const serve = () => ({
      ...echoing,
      echo: async ({ value }: { value: unknown }) => {
        handled.push(value);
        return { value };
      },
    });
    const { address } = await startChannelServer(t, serve);
    const { promise: mayOpen, resolve: open } = Promise.withResolvers<void>();
    const channel = connect<TrialCalls, never>(t, address, {
      token: async (service) => {
        await mayOpen;
        return clusterToken(service);
      },
    });
    const late = channel.call('echo', { value: 'late' }, { timeoutMs: SHORT_MS });
    const patient = channel.call('echo', { value: 'patient' }, { timeoutMs: LONG_MS });
    await assert.rejects(late, named('timed_out'));
    open();
    assert.deepEqual(await patient, { value: 'patient' });
    assert.deepEqual(handled, ['patient']);
  });
});
