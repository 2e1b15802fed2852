import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeChannel } from '../../core/channel/conformance.ts';
import { echoing, type TrialCalls, type TrialNotice } from '../../core/channel/conformance-trial.ts';
import { MillraceError } from '../../core/protocol/error.ts';
import { connectLocal, type LocalChannelOptions } from './local.ts';

function connect(
  handlers: Parameters<typeof connectLocal<TrialCalls, TrialNotice>>[0],
  options: LocalChannelOptions,
) {
  const listeners = new Set<(notice: TrialNotice) => void>();
  const subscribe = (listener: (notice: TrialNotice) => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const channel = connectLocal<TrialCalls, TrialNotice>(handlers, subscribe, options);
  const notify = (notice: TrialNotice) => {
    for (const listener of listeners) listener(notice);
  };
  return { channel, notify, listeners };
}

describeChannel('The channel within a process', async ({ handlers, ...options }) => {
  const { channel, notify } = connect(handlers, options);
  return { channel, notify, stop: async () => {} };
});

describe('The channel within a process, besides', () => {
  test('It stops listening to the media server when it is closed', () => {
    const { channel, listeners } = connect(echoing, { maxCallsInFlight: 1 });
    assert.equal(listeners.size, 1);
    channel.close();
    assert.equal(listeners.size, 0);
  });

  test('A call that was answered leaves no timer behind', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const { channel } = connect(echoing, { maxCallsInFlight: 1 });
    const before = timers();
    await channel.call('echo', { value: 1 }, { timeoutMs: 60_000 });
    assert.equal(timers(), before);
  });

  test('It tells which call failed unexpectedly', async () => {
    const told: unknown[] = [];
    const failing = { ...echoing, echo: () => Promise.reject(new RangeError('no')) };
    const { channel } = connect(failing, {
      maxCallsInFlight: 1,
      onError: (error, call) => told.push(String(error), call),
    });
    await assert.rejects(channel.call('echo', { value: 1 }, { timeoutMs: 1000 }), MillraceError);
    assert.deepEqual(told, ['RangeError: no', 'echo']);
  });

  test('A handler that throws at once is answered like one that rejects', async () => {
    const throwing = {
      ...echoing,
      echo: () => {
        throw new MillraceError('shutting_down', 'going');
      },
    };
    const { channel } = connect(throwing, { maxCallsInFlight: 1 });
    await assert.rejects(channel.call('echo', { value: 1 }, { timeoutMs: 1000 }), { message: 'going' });
  });

  test('A flood of notices beyond its bound closes it, and nothing is lost without a word', async () => {
    const { channel, notify } = connect(echoing, { maxCallsInFlight: 1 });
    const heard: number[] = [];
    channel.onNotice(({ number }) => heard.push(number));
    const closed = new Promise((resolve) => channel.onClose(resolve));
    for (let number = 0; number <= 100_000; number++) notify({ number });
    await closed;
    assert.deepEqual(heard, []);
  });
});
