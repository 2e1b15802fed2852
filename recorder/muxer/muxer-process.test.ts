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
import { specKey } from '../store/layout.ts';
import { openStore } from '../store/open-store.ts';
import { encodeSpec } from '../store/spec.ts';
import type { MuxerMode, MuxerNotice } from '../supervisor-message.ts';
import { Collector, readBack } from './harness/collector.ts';
import { hello, sourceEvents, syntheticFrames } from './harness/rtp-source.ts';
import { Muxer } from './muxer.ts';
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

  test('rolls over into a second file, and completes the first while it records the second', async (t) => {
    const { tell, start, finish, objects, notices } = await trial(t, { maxFileBytes: 700_000 });
    const muxer = start(1);
    tell(EVENTS);
    await received(muxer, 11_900);
    const [first] = await eventually('the first file', () => {
      const { files } = muxer.progress;
      return files.length > 0 ? files : undefined;
    });
    assert.equal(muxer.progress.state, 'recording');
    const whole = await readBack((await objects.get('live/a.webm', LONG)) ?? Buffer.alloc(0));
    assert.equal(whole.video.length, 300);
    const unfinished = await keysIn(objects, '.millrace/');
    assert.deepEqual(
      unfinished.filter((key) => key.includes('/000000/') && !key.endsWith('done.json')),
      [],
    );
    await finish(muxer);
    assert.deepEqual((await objects.head('live/a.webm', LONG))?.bytes, first?.bytes);
    const finished = notices.find((notice) => notice.type === 'finished');
    assert.deepEqual(
      finished?.files.map(({ key }) => key),
      ['live/a.webm', 'live/a-2.webm'],
    );
    assert.ok(Math.abs((finished?.files[0]?.durationMs ?? 0) - 10_000) < 50);
    const second = await readBack((await objects.get('live/a-2.webm', LONG)) ?? Buffer.alloc(0));
    assert.equal(second.video.length, 60);
    // A packet of sound stands in the one file or the other.
    assert.ok(Math.abs(second.audio.length - 100) <= 1, `${second.audio.length}`);
    assert.deepEqual(await keysIn(objects), ['live/a-2.webm', 'live/a.webm']);
  });

  test('completes a full file that its predecessor left, and records on in the one behind it', async (t) => {
    const { tell, start, finish, notices, options } = await trial(t);
    const collector = new Collector();
    const other = new Muxer({ sink: collector, limits: specOf().limits });
    for (const event of [hello(), ...EVENTS]) other.take(event);
    for (const file of [0, 1]) {
      const store = await openStore({ ...options, spec: specOf(), epoch: 1, file });
      if (file === 0) for (const chunk of collector.chunks) assert.ok(store.append(chunk));
      await store.close(20_000);
    }
    const muxer = start(2);
    tell(EVENTS);
    await eventually('the first file', () => muxer.progress.files.length === 1);
    await received(muxer, 11_900);
    assert.equal(muxer.progress.state, 'recording');
    await finish(muxer);
    const finished = notices.find((notice) => notice.type === 'finished');
    assert.deepEqual(
      finished?.files.map(({ key }) => key),
      ['live/a.webm', 'live/a-2.webm'],
    );
  });

  test('leaves out an event that two muxers died of, and dies of it no more', async (t) => {
    const { tell, start, finish, blocks, gaps, notices } = await trial(t);
    // Nothing that a receiver says; whatever makes a muxer throw does.
    const poison = { type: 'track', atMs: 6000, track: 9, kind: 'video', codec: 'VP8', ssrcs: null };
    const before = EVENTS.filter(({ atMs }) => atMs < 6000);
    const after = EVENTS.filter(({ atMs }) => atMs >= 6000);
    tell([...before, poison as unknown as SourceEvent, ...after]);
    for (const epoch of [1, 2]) {
      const muxer = start(epoch);
      await eventually('its death', () => notices.filter(({ type }) => type === 'failed').length === epoch);
      assert.equal(notices.find((notice) => notice.type === 'failed')?.again, true);
      void muxer.leave();
    }
    const third = start(3);
    await received(third, 11_900);
    await finish(third);
    assert.deepEqual(await blocks(), BLOCKS);
    assert.deepEqual(gaps(), { count: 0, totalMs: 0 });
  });

  test('makes durable what it has when its receiver says nothing any more, and when that is gone', async (t) => {
    const { tell, start, clock, socket } = await trial(t);
    const muxer = start(1);
    tell(EVENTS.filter(({ atMs }) => atMs < 5900));
    await received(muxer, 5800);
    assert.ok(muxer.progress.durableMs < 5800);
    clock.ms += 5000;
    muxer.tick();
    await eventually('all to be durable', () => muxer.progress.durableMs >= 5800);
    tell(EVENTS.filter(({ atMs }) => atMs >= 5900 && atMs < 6300));
    await received(muxer, 6200);
    socket.close();
    await eventually('all to be durable', () => muxer.progress.durableMs >= 6200);
  });

  test('says that the longest duration is reached, and takes nothing more', async (t) => {
    const { tell, start, finish, notices, blocks } = await trial(t, { maxDurationMs: 4000 });
    const muxer = start(1);
    tell(EVENTS);
    await eventually('the limit', () => notices.some(({ type }) => type === 'limit'));
    await finish(muxer);
    assert.deepEqual(await blocks(), { audio: 200, video: 120 });
  });

  test('completes what others left when it is started for that alone', async (t) => {
    const { tell, start, notices, blocks } = await trial(t);
    const first = start(1);
    tell(EVENTS);
    await received(first, 11_900);
    await first.leave();
    start(2, 'finish');
    await eventually('the file', () => notices.some(({ type }) => type === 'finished'));
    assert.deepEqual(await blocks(), BLOCKS);
  });

  test('finds the file again that a muxer had completed which died before it could say so', async (t) => {
    const { tell, start, finish, notices, options } = await trial(t);
    const first = start(1);
    tell(EVENTS);
    await received(first, 11_900);
    await finish(first);
    const before = notices.find((notice) => notice.type === 'finished');
    for (const isForgotten of [true, false]) {
      if (!isForgotten) await options.objects.put(specKey(specOf().id), encodeSpec(specOf()), LONG);
      notices.length = 0;
      start(2, 'finish');
      const again = await eventually('the file', () => notices.find(({ type }) => type === 'finished'));
      assert.deepEqual(again, before);
    }
    assert.deepEqual(await keysIn(options.objects), ['live/a.webm']);
  });

  test('begins the next file behind one that was left by a version it does not know', async (t) => {
    const { tell, start, finish, notices, options } = await trial(t);
    const collector = new Collector();
    const limits = { ...specOf().limits };
    const other = new Muxer({ sink: collector, limits });
    for (const event of [hello(), ...EVENTS]) other.take(event);
    const store = await openStore({ ...options, spec: specOf(), epoch: 1 });
    for (const chunk of collector.chunks)
      assert.ok(store.append({ ...chunk, state: { ...chunk.state, timeline: { of: 'another version' } } }));
    await store.close(20_000);
    const muxer = start(2);
    tell(EVENTS);
    await received(muxer, 11_900);
    await finish(muxer);
    const finished = notices.find((notice) => notice.type === 'finished');
    assert.deepEqual(
      finished?.files.map(({ key }) => key),
      ['live/a.webm', 'live/a-2.webm'],
    );
  });

  test('says why it cannot go on: for good when the name is taken, else to be tried again', async (t) => {
    const { start, notices, objects } = await trial(t);
    await objects.put('live/a.webm', Buffer.from('somebody else'), LONG);
    start(1);
    const failed = await eventually('its failure', () => notices.find((notice) => notice.type === 'failed'));
    assert.equal(failed.again, false);
    assert.match(failed.message, /a\.webm/);
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
  readonly socket: MuxerSocket;
  readonly options: {
    readonly objects: ObjectStore;
    readonly spoolDirectory: string;
    readonly log: typeof silent;
  };
  /** Added to the time of day's own pace. */
  readonly clock: { ms: number };
}

async function trial(t: TestContext, limits: Parameters<typeof specOf>[1] = {}): Promise<Trial> {
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
  const clock = { ms: 0 };
  return {
    objects,
    notices,
    events,
    tell: (told) => {
      for (const event of told) events.append(event);
      socket.send();
    },
    start: (epoch, mode = 'record') => {
      const options = { objects, spoolDirectory, log: silent, now: () => performance.now() + clock.ms };
      const fatal = notices.flatMap((notice) =>
        notice.type === 'failed' && notice.fatal ? [notice.fatal] : [],
      );
      const start = { type: 'start', spec: specOf({}, limits), epoch, socketPath, mode, fatal } as const;
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
    socket,
    clock,
    options: { objects, spoolDirectory, log: silent },
  };
}

function received(muxer: MuxerProcess, ms: number): Promise<unknown> {
  return eventually(`${ms} ms to be received`, () => muxer.progress.receivedMs >= ms);
}
