import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MillraceError } from '../protocol/error.ts';
import {
  type Connect,
  collect,
  echoing,
  LONG_MS,
  named,
  numbers,
  type Open,
  openTrial,
  SHORT_MS,
  type TrialNotice,
  until,
} from './conformance-trial.ts';

/** The rules of `Channel`, one sentence each, for any adapter of it. */
export function describeChannel(name: string, connect: Connect): void {
  const open: Open = (context, options = {}) => openTrial(context, connect, options);

  describe(name, () => {
    describeCalls(open);
    describeFailures(open);
    describeNotices(open);
    describeClosing(open);
  });
}

function describeCalls(open: Open): void {
  test('A call is answered by what its handler returns', async (t) => {
    const { channel } = await open(t);
    const value = { text: 'café \u{1f600}', list: [1, null, { deep: true }] };
    assert.deepEqual(await channel.call('echo', { value }, { timeoutMs: LONG_MS }), { value });
  });

  test('The ends share no objects: what one changes, the other does not see', async (t) => {
    const kept: unknown[] = [];
    const { channel } = await open(t, {
      handlers: {
        ...echoing,
        echo: async ({ value }) => {
          kept.push(value);
          return { value };
        },
      },
    });
    const request = { value: ['before'] };
    const answer = channel.call('echo', request, { timeoutMs: LONG_MS });
    request.value.push('after');
    const reply = await answer;
    assert.deepEqual(reply, { value: ['before'] });
    (reply.value as string[]).push('mine'); // echo answers with the array it was sent
    assert.deepEqual(kept, [['before']]);
  });

  test('A field that is undefined is not sent', async (t) => {
    const { channel } = await open(t);
    const reply = await channel.call('echo', { value: { absent: undefined } }, { timeoutMs: LONG_MS });
    assert.deepEqual(reply, { value: {} });
  });

  test('Calls run at once, and a later one may be answered first', async (t) => {
    const { channel, waiting } = await open(t);
    const order: string[] = [];
    const calls = ['first', 'second'].map(async (name) => {
      await channel.call('wait', { name }, { timeoutMs: LONG_MS });
      order.push(name);
    });
    (await waiting.named('second')).answer();
    await calls[1];
    (await waiting.named('first')).answer();
    await calls[0];
    assert.deepEqual(order, ['second', 'first']);
  });

  test('A handler runs after the caller has gone on', async (t) => {
    let handled = false;
    const { channel } = await open(t, {
      handlers: {
        ...echoing,
        echo: async ({ value }) => {
          handled = true;
          return { value };
        },
      },
    });
    const answer = channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS });
    assert.equal(handled, false);
    await answer;
    assert.equal(handled, true);
  });
}

function describeFailures(open: Open): void {
  test('A MillraceError arrives as it was thrown, name, code and message', async (t) => {
    const { channel, errors } = await open(t, {
      handlers: failingWith(new MillraceError('no_common_codec', 'only H264 was offered')),
    });
    await assert.rejects(channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS }), (error) => {
      assert.ok(error instanceof MillraceError);
      assert.equal(error.errorName, 'no_common_codec');
      assert.equal(error.code, 40007);
      assert.equal(error.message, 'only H264 was offered');
      return true;
    });
    assert.deepEqual(errors, []);
  });

  test('Any other error arrives as "internal" without its details, which stay at the end that failed', async (t) => {
    const { channel, errors } = await open(t, {
      handlers: failingWith(new RangeError('secret detail')),
    });
    await assert.rejects(channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS }), (error) => {
      assert.ok(error instanceof MillraceError);
      assert.equal(error.errorName, 'internal');
      assert.doesNotMatch(JSON.stringify([error.message, error.cause ?? '']), /secret/);
      return true;
    });
    assert.match(String(errors[0]), /secret detail/);
  });

  test('What is not plain data is refused as "internal", as a request and as a reply', async (t) => {
    let handled = 0;
    const { channel } = await open(t, {
      handlers: {
        ...echoing,
        echo: async () => {
          handled++;
          return { value: new Date(0) };
        },
      },
    });
    const request = { value: new Map([['a', 1]]) };
    await assert.rejects(channel.call('echo', request, { timeoutMs: LONG_MS }), named('internal'));
    assert.equal(handled, 0);
    await assert.rejects(channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS }), named('internal'));
    assert.equal(handled, 1);
  });

  test('A call without a reply fails when its time is up, and a late reply is ignored', async (t) => {
    const { channel, waiting } = await open(t);
    const late = channel.call('wait', { name: 'late' }, { timeoutMs: SHORT_MS });
    await assert.rejects(late, named('timed_out'));
    (await waiting.named('late')).answer();
    assert.deepEqual(await channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS }), { value: 1 });
  });

  test('A call above the bound on calls in flight is refused at once, and taken when one is done', async (t) => {
    const { channel, waiting } = await open(t, { maxCallsInFlight: 2 });
    const first = channel.call('wait', { name: 'first' }, { timeoutMs: LONG_MS });
    const second = channel.call('wait', { name: 'second' }, { timeoutMs: LONG_MS });
    await assert.rejects(channel.call('echo', { value: 3 }, { timeoutMs: LONG_MS }), named('too_many'));
    (await waiting.named('first')).answer();
    await first;
    assert.deepEqual(await channel.call('echo', { value: 3 }, { timeoutMs: LONG_MS }), { value: 3 });
    (await waiting.named('second')).answer();
    await second;
  });

  test('A call whose time was up is in flight no longer', async (t) => {
    const { channel } = await open(t, { maxCallsInFlight: 1 });
    await assert.rejects(channel.call('wait', { name: 'a' }, { timeoutMs: SHORT_MS }), named('timed_out'));
    assert.deepEqual(await channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS }), { value: 1 });
  });
}

function describeNotices(open: Open): void {
  test('Notices arrive in the order in which they were sent, at every listener', async (t) => {
    const { channel, notify } = await open(t);
    const [one, other] = [collect(channel), collect(channel)];
    for (const number of numbers(500)) notify({ number });
    await until(() => one.length >= 500 && other.length >= 500);
    assert.deepEqual(one, numbers(500));
    assert.deepEqual(other, numbers(500));
  });

  test('A notice is a copy, delivered after its sender has gone on', async (t) => {
    const { channel, notify } = await open(t);
    const heard = collect(channel);
    const notice = { number: 1 };
    notify(notice);
    assert.deepEqual(heard, []);
    notice.number = 2;
    await until(() => heard.length > 0);
    assert.deepEqual(heard, [1]);
  });

  test('A listener that stopped hears nothing more; the others do', async (t) => {
    const { channel, notify } = await open(t);
    const stopped: number[] = [];
    const stop = channel.onNotice(({ number }) => stopped.push(number));
    const heard = collect(channel);
    notify({ number: 1 });
    await until(() => heard.length === 1);
    stop();
    stop();
    notify({ number: 2 });
    await until(() => heard.length === 2);
    assert.deepEqual(stopped, [1]);
  });

  test('Notices sent before a reply arrive before it, and those sent after it arrive after it', async (t) => {
    let notify = (_: TrialNotice) => {};
    const connection = await open(t, {
      handlers: {
        ...echoing,
        echo: async ({ value }) => {
          for (const number of numbers(50)) notify({ number });
          return { value };
        },
      },
    });
    notify = connection.notify;
    const heard: (number | 'reply')[] = [];
    connection.channel.onNotice(({ number }) => heard.push(number));
    await connection.channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS });
    heard.push('reply');
    notify({ number: 50 });
    await until(() => heard.length === 52);
    assert.deepEqual(heard, [...numbers(50), 'reply', 50]);
  });
}

function describeClosing(open: Open): void {
  test('Closing fails the calls in flight, and all later ones, with "no_media_server"', async (t) => {
    const { channel, waiting } = await open(t);
    const call = channel.call('wait', { name: 'cut' }, { timeoutMs: LONG_MS });
    const rejected = assert.rejects(call, named('no_media_server'));
    await waiting.named('cut');
    channel.close();
    await rejected;
    const later = channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS });
    await assert.rejects(later, named('no_media_server'));
  });

  test('Closing is told once, to those who ask afterwards too', async (t) => {
    const { channel } = await open(t);
    const told: string[] = [];
    channel.onClose((end) => told.push('before', end));
    channel.close();
    channel.close();
    channel.onClose((end) => told.push('after', end));
    await until(() => told.length >= 4);
    assert.deepEqual(told, ['before', 'closed', 'after', 'closed']);
  });

  test('After closing no notice arrives', async (t) => {
    const { channel, notify } = await open(t);
    const heard = collect(channel);
    notify({ number: 1 });
    await until(() => heard.length === 1);
    const closed = new Promise((resolve) => channel.onClose(resolve));
    channel.close();
    notify({ number: 2 });
    await closed;
    assert.deepEqual(heard, [1]);
  });
}

function failingWith(error: Error): typeof echoing {
  return { ...echoing, echo: () => Promise.reject(error) };
}
