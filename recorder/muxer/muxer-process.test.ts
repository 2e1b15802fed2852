import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { openFolder } from '../../adapters/storage/folder/folder.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { eventually } from '../../test/harness/condition.ts';
import { EventLog } from '../receiver/event-log.ts';
import { MuxerSocket } from '../receiver/muxer-socket.ts';
import type { SourceEvent } from '../source-event.ts';
import { keysIn, LONG, silent, specOf, temporaryFolder } from '../store/harness/trial.ts';
import type { MuxerMode, MuxerNotice } from '../supervisor-message.ts';
import { readBack } from './harness/collector.ts';
import { hello, sourceEvents, syntheticFrames } from './harness/rtp-source.ts';
import { MuxerProcess } from './muxer-process.ts';

const EVENTS = sourceEvents(syntheticFrames(12_000));
/** As many as `EVENTS` has. */
const BLOCKS = { audio: 600, video: 360 };

describe('A muxer process', () => {
  test('writes what a receiver tells, and completes the file', async (t) => {
    const { tell, start, finish, blocks, objects, events } = await trial(t);
    const muxer = start(1);
    tell(EVENTS);
    await received(muxer, 11_900);
    assert.equal(muxer.progress.state, 'recording');
    await eventually('events to be forgotten that are durable', () => events.first > 0);
    assert.ok(events.next - events.first > 300, 'the last key frame is kept');
    await finish(muxer);
    assert.deepEqual(await blocks(), BLOCKS);
    assert.deepEqual(await keysIn(objects), ['live/a.webm']);
  });

  test('goes on where one that was killed stood, twice, without a loss', async (t) => {
    const { tell, start, finish, blocks, gaps } = await trial(t);
    for (const [index, from] of [0, 4000, 8000].entries()) {
      const muxer = start(index + 1);
      tell(EVENTS.filter(({ atMs }) => atMs >= from && atMs < from + 4000));
      await received(muxer, index < 2 ? from + 3000 : 11_900);
      // A killed process does nothing more, least of all with grace.
      if (index < 2) void muxer.leave();
      else await finish(muxer);
    }
    assert.deepEqual(await blocks(), BLOCKS);
    assert.deepEqual(gaps(), { count: 0, totalMs: 0 });
  });

  test('writes nothing before its predecessor has gone, and goes on behind it without a loss', async (t) => {
    const { tell, start, finish, blocks, objects, notices } = await trial(t);
    const first = start(1);
    tell(EVENTS.filter(({ atMs }) => atMs < 5000));
    await received(first, 4900);
    const second = start(2, 'wait');
    const keys = await keysIn(objects);
    tell(EVENTS.filter(({ atMs }) => atMs >= 5000));
    assert.equal(second.progress.state, 'starting');
    assert.ok(!keys.some((key) => key.includes('/claims/000000000000002')), keys.join('\n'));
    first.obey({ type: 'flush' });
    await eventually('the first to have flushed', () => notices.some(({ type }) => type === 'flushed'));
    await first.leave();
    second.obey({ type: 'write' });
    await received(second, 11_900);
    await finish(second);
    assert.deepEqual(await blocks(), BLOCKS);
  });
});

interface Trial {
  readonly objects: ObjectStore;
  readonly notices: MuxerNotice[];
  readonly events: EventLog;
  readonly tell: (events: readonly SourceEvent[]) => void;
  readonly start: (epoch: number, mode?: MuxerMode) => MuxerProcess;
  /** As a supervisor does that has been granted it. */
  readonly finish: (muxer: MuxerProcess) => Promise<void>;
  readonly blocks: () => Promise<{ readonly audio: number; readonly video: number }>;
  readonly gaps: () => unknown;
}

async function trial(t: TestContext): Promise<Trial> {
  const folder = await temporaryFolder(t);
  const objects = openFolder(join(folder, 'storage'));
  const spoolDirectory = join(folder, 'spool');
  const socketPath = join(folder, 'source');
  const events = new EventLog({
    hello: hello() as Extract<SourceEvent, { type: 'hello' }>,
    maxBytes: 2 ** 25,
  });
  const socket = await MuxerSocket.listen({ path: socketPath, events, log: silent, onRequest: () => {} });
  const notices: MuxerNotice[] = [];
  const started: MuxerProcess[] = [];
  t.after(async () => {
    for (const muxer of started) await muxer.leave();
    socket.close();
    objects.close();
  });
  const heard = (type: MuxerNotice['type']) =>
    eventually(type, () => notices.find((notice) => notice.type === type));
  let gaps: unknown;
  return {
    objects,
    notices,
    events,
    tell: (told) => {
      for (const event of told) events.append(event);
      socket.appended();
    },
    start: (epoch, mode = 'record') => {
      const options = { objects, spoolDirectory, log: silent, now: () => performance.now() };
      const start = { type: 'start', spec: specOf(), epoch, socketPath, mode } as const;
      const muxer = new MuxerProcess({ ...options, tell: (notice) => notices.push(notice) }, start);
      started.push(muxer);
      return muxer;
    },
    finish: async (muxer) => {
      notices.length = 0;
      muxer.obey({ type: 'flush' });
      await heard('flushed');
      gaps = muxer.progress.gaps;
      muxer.obey({ type: 'finish' });
      await heard('finished');
    },
    blocks: async () => {
      const { audio, video } = await readBack((await objects.get('live/a.webm', LONG)) ?? Buffer.alloc(0));
      return { audio: audio.length, video: video.length };
    },
    gaps: () => gaps,
  };
}

function received(muxer: MuxerProcess, ms: number): Promise<unknown> {
  return eventually(`${ms} ms to be received`, () => muxer.progress.receivedMs >= ms);
}
