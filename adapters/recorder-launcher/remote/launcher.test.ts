import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { pino } from 'pino';
import type {
  RecordingCalls,
  RecordingChannel,
  RecordingHandlers,
  RecordingNotice,
} from '../../../core/channel/recordings.ts';
import { MillraceError } from '../../../core/protocol/error.ts';
import { NO_PROGRESS } from '../../../core/recording/progress.ts';
import type { RecordingId, RecordingKey, RecordingRecord } from '../../../core/recording/recording.ts';
import { claim, name, node, recording } from '../../../core/registry/conformance-trial.ts';
import { connectLocal } from '../../channel/local.ts';
import { createMemoryRegistry } from '../../registry/memory/memory.ts';
import { RemoteLauncher } from './launcher.ts';

type Host = Partial<RecordingHandlers>;

const ENDED = { ...NO_PROGRESS, state: 'completed' } as const;

/** @param hosts what each media server answers; one that is left out is dead */
async function open(t: TestContext, hosts: Readonly<Record<string, Host>>) {
  const registry = createMemoryRegistry();
  const asked: string[] = [];
  const notify = new Map<string, (notice: RecordingNotice) => void>();
  const noted =
    <Request>(what: string, handle: ((request: Request) => Promise<RecordingRecord>) | undefined) =>
    async (request: Request) => {
      asked.push(what);
      if (handle === undefined) throw new MillraceError('no_media_server', 'closed');
      return handle(request);
    };
  const connect = ({ id }: { readonly id: string }): RecordingChannel =>
    connectLocal<RecordingCalls, RecordingNotice>(
      { start: noted(`${id} start`, hosts[id]?.start), stop: noted(`${id} stop`, hosts[id]?.stop) },
      (listener) => {
        notify.set(id, listener);
        return () => notify.delete(id);
      },
      { maxCallsInFlight: 10 },
    );
  for (const id of ['a', 'b']) await registry.announceNode(node(id));
  const launcher = new RemoteLauncher({
    registry,
    name: 'signaling',
    connect,
    store: async () => 'one store',
    log: pino({ level: 'silent' }),
    now: () => performance.now(),
  });
  const ended: RecordingId[] = [];
  launcher.onEnded(({ id }) => ended.push(id));
  launcher.open();
  t.after(() => {
    launcher.close();
    return registry.close();
  });
  return {
    registry,
    launcher,
    asked,
    ended,
    tell: (id: string, notice: RecordingNotice) => notify.get(id)?.(notice),
  };
}

const record = (id: string, host: string, more: Partial<RecordingRecord> = {}): RecordingRecord => ({
  ...recording(id),
  host,
  attempt: 1,
  progress: NO_PROGRESS,
  saidAtMs: 0,
  ...more,
});
const ORDER = { stream: name('lobby'), key: 'x.webm' as RecordingKey, subject: '', timeoutMs: 2000 };

describe('Recordings that media servers run:', () => {
  test('the stream’s own media server is asked first, another one where it is full', async (t) => {
    const { registry, launcher, asked } = await open(t, {
      a: { start: async () => record('r', 'a') },
      b: {
        start: async () => {
          throw new MillraceError('too_many', 'full');
        },
      },
    });
    await registry.claimStream(claim('lobby', 'b'));
    assert.equal((await launcher.start(ORDER)).host, 'a');
    assert.deepEqual(asked, ['b start', 'a start']);
  });

  test('what one refuses for good, no other is asked for', async (t) => {
    const refuse = async () => {
      throw new MillraceError('name_taken', 'taken');
    };
    const { registry, launcher, asked } = await open(t, { a: { start: refuse }, b: { start: refuse } });
    await registry.claimStream(claim('lobby', 'a'));
    await assert.rejects(launcher.start(ORDER), { errorName: 'name_taken' });
    assert.deepEqual(asked, ['a start']);
  });

  test('a stream that nobody publishes is not recorded', async (t) => {
    const { launcher, asked } = await open(t, {});
    await assert.rejects(launcher.start(ORDER), { errorName: 'stream_not_found' });
    assert.deepEqual(asked, []);
  });

  test('one whose host is dead is asked for until another host has taken it over', async (t) => {
    let tries = 0;
    const stop = async () => {
      tries += 1;
      if (tries < 3) throw new MillraceError('recording_not_running', 'its lease holds still');
      return record('r', 'a', { progress: ENDED });
    };
    const { registry, launcher } = await open(t, { a: { stop }, b: { stop } });
    await registry.enterRecording(recording('r'), 'gone');
    const [stopped] = await launcher.stop(['r' as RecordingId], { timeoutMs: 5000 });
    assert.equal(stopped?.progress.state, 'completed');
    assert.equal(tries, 3);
  });

  test('the end of one is told once, though several tell it', async (t) => {
    const { launcher, tell, ended, registry } = await open(t, { a: {}, b: {} });
    await registry.enterRecording(recording('r'), 'a');
    await assert.rejects(launcher.stop(['r' as RecordingId], { timeoutMs: 300 }), { errorName: 'timed_out' });
    const notice = { type: 'ended', record: record('r', 'a', { progress: ENDED }) } as const;
    tell('a', notice);
    tell('b', notice);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(ended, ['r']);
  });
});
