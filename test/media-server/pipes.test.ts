import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { PipeChannel, PipeNotice, PulledPublication } from '../../core/channel/pipes.ts';
import type { MillraceError } from '../../core/protocol/error.ts';
import type { SessionId } from '../../core/protocol/session-id.ts';
import type { StreamName } from '../../core/protocol/stream-name.ts';
import { eventually } from '../harness/condition.ts';
import { FarEnd } from './harness/far-end.ts';
import { pipeChannel } from './harness/pipe-channel.ts';
import { offer, offerOfSamePeer, type Rig, restarted, session, startRig } from './harness/rig.ts';

const A = 'a' as StreamName;
const TIME = { timeoutMs: 10_000 };
/** Two, below those that the system gives to outgoing connections. */
const PORT = 28_000 + (process.pid % 1000) * 2;
const named = (errorName: string) => (error: unknown) => (error as MillraceError).errorName === errorName;
const kinds = ({ tracks }: Pick<PulledPublication, 'tracks'>) => tracks.map(({ kind }) => kind).sort();

/** One other process: its channel, and what it was told. */
class Caller {
  readonly channel: PipeChannel;
  readonly notices: PipeNotice[] = [];
  readonly #far: FarEnd;

  constructor(rig: Rig, far: FarEnd) {
    this.channel = pipeChannel(rig.server);
    this.channel.onNotice((notice) => this.notices.push(notice));
    this.#far = far;
  }

  /** Opens a pipe to the worker that carries the stream. */
  async open(pipe: string, stream: string = A) {
    const { transport, address } = await this.#far.transport();
    const { worker } = await this.channel.call('locate', { stream: stream as StreamName }, TIME);
    const { end } = await this.channel.call('open', { pipe, worker, end: address }, TIME);
    await transport.connect({ ...end });
    return { transport, end, worker };
  }

  pull(pipe: string, pull: string, stream: string = A): Promise<PulledPublication> {
    return this.channel.call('pull', { pipe, pull, stream: stream as StreamName }, TIME);
  }

  async told<Type extends PipeNotice['type']>(type: Type): Promise<Extract<PipeNotice, { type: Type }>> {
    const is = (notice: PipeNotice): notice is Extract<PipeNotice, { type: Type }> => notice.type === type;
    return eventually(`to be told ${type}`, () => this.notices.find(is), { everyMs: 5 });
  }

  /** A track that is replaced may be told to be gone before its successor is there. */
  async toldTracks(pull: string, expected: readonly string[]): Promise<void> {
    const is = (notice: PipeNotice) =>
      notice.type === 'tracks.changed' && notice.pull === pull && `${kinds(notice)}` === `${expected}`;
    await eventually(`to be told of ${expected}`, () => this.notices.some(is), { everyMs: 5 });
  }
}

describe('Another process', () => {
  let rig: Rig;
  let far: FarEnd;
  let publisher: SessionId;
  let caller: Caller;
  before(async () => {
    // Ahead of the rig, which counts what is in all workers that are started after it.
    far = await FarEnd.start();
    rig = await startRig({ generationOverlapMs: 300, pipePorts: { min: PORT, max: PORT + 1 } });
  });
  after(async () => {
    far.close();
    await rig.close();
  });
  beforeEach(() => {
    publisher = session();
    caller = new Caller(rig, far);
  });
  afterEach(async () => {
    caller.channel.close();
    await rig.endAll();
    await eventually('nothing to be left', async () => (await rig.count()).transports === 0);
  });

  const publish = (sdp: string, epoch?: number) =>
    rig.publish('a', publisher, sdp, epoch === undefined ? {} : { epoch });

  test('pulls a stream, every encoding of every track, encrypted and at a port for pipes', async () => {
    const { epoch } = await publish(offer('chromium-publish-simulcast'));
    const { transport, end } = await caller.open('p');
    assert.ok(end.srtpParameters);
    assert.ok(end.port === PORT || end.port === PORT + 1, `port ${end.port}`);
    const pulled = await caller.pull('p', '1');
    assert.equal(pulled.epoch, epoch);
    assert.deepEqual(
      pulled.tracks
        .map(({ kind, codec, paused, rtpParameters }) => [
          kind,
          codec,
          paused,
          rtpParameters.encodings?.length,
        ])
        .sort(),
      [
        ['audio', 'opus', false, 1],
        ['video', 'VP8', false, 3],
      ],
    );
    for (const { producerId: id, kind, rtpParameters, paused } of pulled.tracks) {
      await transport.produce({ id, kind, rtpParameters, paused });
    }
    assert.match(await rig.metrics.metrics(), /^millrace_outside_pipes 1$/m);
    assert.match(await rig.metrics.metrics(), /^millrace_pulls 1$/m);
    assert.match(await rig.metrics.metrics(), /^millrace_viewers 0$/m);
    assert.equal((await rig.handlers.stream({ stream: A })).stream?.viewers, 0);
  });

  test('shares one pipe among streams, and ends each pull for itself', async () => {
    await publish(offer('chromium-publish-audio-video'));
    await rig.publish('b', session(), offer('firefox-publish-audio-video'));
    await caller.open('p');
    const pulls = await Promise.all([
      caller.pull('p', '1'),
      caller.pull('p', '2', 'b'),
      caller.pull('p', '3'),
    ]);
    const ssrcs = pulls.flatMap(({ tracks }) =>
      tracks.flatMap(({ rtpParameters }) => (rtpParameters.encodings ?? []).map(({ ssrc }) => ssrc)),
    );
    assert.equal(new Set(ssrcs).size, 6);
    assert.deepEqual(await rig.count(), { transports: 3, producers: 4, consumers: 6 });
    await caller.channel.call('release', { pull: '1' }, TIME);
    await caller.channel.call('release', { pull: '1' }, TIME);
    await eventually('its tracks to go', async () => (await rig.count()).consumers === 4);
    await caller.channel.call('close', { pipe: 'p' }, TIME);
    await eventually('the others to go', async () => (await rig.count()).consumers === 0);
    assert.deepEqual(caller.notices, []);
    assert.match(await rig.metrics.metrics(), /^millrace_outside_pipes 0$/m);
    assert.match(await rig.metrics.metrics(), /^millrace_pulls 0$/m);
  });

  test('leaves nothing behind when its connection closes, whatever it was doing', async () => {
    await publish(offer('chromium-publish-audio-video'));
    await caller.open('p');
    await caller.pull('p', '1');
    const { address } = await far.transport();
    const { worker } = await caller.channel.call('locate', { stream: A }, TIME);
    const unfinished = [
      caller.channel.call('open', { pipe: 'q', worker, end: address }, TIME),
      caller.pull('p', '2'),
    ];
    // Both have asked their worker, which has not answered yet.
    await new Promise((resolve) => setImmediate(resolve));
    caller.channel.close();
    await Promise.allSettled(unfinished);
    await eventually('its pipes to go', async () => {
      const { transports, consumers } = await rig.count();
      return transports === 1 && consumers === 0;
    });
    assert.match(await rig.metrics.metrics(), /^millrace_outside_pipes 0$/m);
    assert.match(await rig.metrics.metrics(), /^millrace_pulls 0$/m);
  });

  test('is told of mutes, and of a track that is muted already', async () => {
    await publish(offer('chromium-publish-audio-video'));
    await rig.handlers.mute({ stream: A, session: publisher, video: true });
    await caller.open('p');
    const { tracks } = await caller.pull('p', '1');
    const video = tracks.find(({ kind }) => kind === 'video');
    const audio = tracks.find(({ kind }) => kind === 'audio');
    assert.deepEqual([video?.paused, audio?.paused], [true, false]);
    await rig.handlers.mute({ stream: A, session: publisher, audio: true, video: false });
    await eventually('both to be told', () => caller.notices.length === 2, { everyMs: 5 });
    const paused = caller.notices.map((notice) =>
      notice.type === 'track.paused' ? [notice.pull, notice.producerId, notice.paused] : notice,
    );
    assert.deepEqual(
      paused.sort(),
      [
        ['1', video?.producerId, false],
        ['1', audio?.producerId, true],
      ].sort(),
    );
  });

  test('is told all tracks when the publisher adds, replaces or removes some', async () => {
    const first = offer('chromium-publish-audio-only');
    const { epoch } = await publish(first);
    await caller.open('p');
    const pulled = await caller.pull('p', '1');
    assert.deepEqual(kinds(pulled), ['audio']);
    await publish(offerOfSamePeer(first, 'chromium-publish-audio-video'), epoch);
    await caller.toldTracks('1', ['audio', 'video']);
    caller.notices.length = 0;
    await publish(offerOfSamePeer(first, 'chromium-publish-audio-only'), epoch);
    await caller.toldTracks('1', ['audio']);
  });

  test('has a track that is added, and keeps the one that it has', async () => {
    const both = offer('chromium-publish-audio-video');
    const { epoch } = await publish(both.replace(/(m=video[\s\S]*?)a=sendonly/, '$1a=inactive'));
    await caller.open('p');
    const [before] = (await caller.pull('p', '1')).tracks;
    await publish(both, epoch);
    await caller.toldTracks('1', ['audio', 'video']);
    const { tracks } = await caller.told('tracks.changed');
    assert.ok(tracks.some(({ producerId }) => producerId === before?.producerId));
    assert.equal(caller.notices.length, 1);
  });

  test('is told that the stream moved, pulls it anew, and loses the old generation a moment later', async () => {
    const { epoch } = await publish(offer('chromium-publish-audio-video'));
    await caller.open('p');
    const older = await caller.pull('p', '1');
    await publish(offer('chromium-publish-audio-video'), epoch);
    await caller.told('pull.moved');
    const newer = await caller.pull('p', '2');
    assert.notEqual(newer.generation, older.generation);
    assert.notDeepEqual(
      newer.tracks.map(({ producerId }) => producerId),
      older.tracks.map(({ producerId }) => producerId),
    );
    assert.equal((await caller.told('pull.ended')).pull, '1');
    assert.match(await rig.metrics.metrics(), /^millrace_pulls 1$/m);
  });

  test('keeps its pull when the publisher restarts ICE', async () => {
    const first = offer('chromium-publish-audio-video');
    const { epoch } = await publish(first);
    await caller.open('p');
    const { generation } = await caller.pull('p', '1');
    await publish(restarted(first), epoch);
    assert.equal((await caller.pull('p', '2')).generation, generation);
    assert.deepEqual(
      caller.notices.filter(({ type }) => type !== 'tracks.changed'),
      [],
    );
  });

  test('is told when the stream ends', async () => {
    await publish(offer('chromium-publish-audio-video'));
    await caller.open('p');
    await caller.pull('p', '1');
    await rig.handlers.close({ stream: A, session: publisher });
    assert.equal((await caller.told('pull.ended')).pull, '1');
    await assert.rejects(caller.channel.call('locate', { stream: A }, TIME), named('stream_not_found'));
    await assert.rejects(caller.pull('p', '2'), named('stream_not_found'));
  });

  test('is refused ids that are taken, and pipes that are gone', async () => {
    await publish(offer('chromium-publish-audio-video'));
    await caller.open('p');
    await caller.pull('p', '1');
    await assert.rejects(caller.open('p'), named('too_many'));
    await assert.rejects(caller.pull('p', '1'), named('too_many'));
    await assert.rejects(caller.pull('q', '2'), named('stream_ended'));
    const { address } = await far.transport();
    const gone = caller.channel.call('open', { pipe: 'q', worker: '0-1', end: address }, TIME);
    await assert.rejects(gone, named('no_media_server'));
    // A refused id is free again.
    await caller.open('q');
    await caller.pull('q', '2');
  });

  test('is refused a pipe when its ports are taken, and has one when a port is free again', async () => {
    await publish(offer('chromium-publish-audio-video'));
    await caller.open('1');
    await caller.open('2');
    await assert.rejects(caller.open('3'), (error) => {
      assert.ok(named('too_many')(error));
      assert.match((error as Error).message, /MILLRACE_PIPE_PORTS/);
      return true;
    });
    await caller.channel.call('close', { pipe: '1' }, TIME);
    await eventually('a pipe', () => caller.open('3'));
  });
});

describe('Another process, of a media server with two workers,', () => {
  test('has to open a pipe to the one that carries the stream', async (t) => {
    const far = await FarEnd.start();
    const rig = await startRig({ workers: 2 });
    t.after(async () => {
      far.close();
      await rig.close();
    });
    const caller = new Caller(rig, far);
    // Of as many streams as it takes, two are on different workers.
    const workers = new Map<string, string>();
    for (let index = 0; new Set(workers.values()).size < 2; index++) {
      assert.ok(index < 20);
      const stream = `s${index}` as StreamName;
      await rig.publish(stream, session(), offer('chromium-publish-audio-video'));
      workers.set(stream, (await caller.channel.call('locate', { stream }, TIME)).worker);
    }
    const [[first] = [], other] = [
      [...workers][0],
      [...workers].find(([, worker]) => worker !== [...workers][0]?.[1])?.[0],
    ];
    assert.ok(first && other);
    await caller.open('p', first);
    await caller.pull('p', '1', first);
    await assert.rejects(caller.pull('p', '2', other), named('stream_ended'));
    await caller.open('q', other);
    await caller.pull('q', '2', other);
  });

  test('is told when the worker dies: the pulls have ended, and the pipe', async (t) => {
    const far = await FarEnd.start();
    const rig = await startRig();
    t.after(async () => {
      far.close();
      await rig.close();
    });
    await rig.publish('a', session(), offer('chromium-publish-audio-video'));
    const caller = new Caller(rig, far);
    const { worker } = await caller.open('p');
    await caller.pull('p', '1');
    process.kill(rig.workers[0]?.pid ?? 0, 'SIGKILL');
    assert.equal((await caller.told('pipe.closed')).pipe, 'p');
    assert.match(await rig.metrics.metrics(), /^millrace_pulls 0$/m);
    await eventually('a new worker', () =>
      rig.publish('b', session(), offer('chromium-publish-audio-video')),
    );
    const located = await caller.channel.call('locate', { stream: 'b' as StreamName }, TIME);
    assert.notEqual(located.worker, worker);
    await caller.open('p', 'b');
    await caller.pull('p', '1', 'b');
  });
});

test('An address for pipes that this machine does not have is named with its setting', async () => {
  await assert.rejects(startRig({ pipeListen: '192.0.2.1' }), /MILLRACE_PIPE_LISTEN.*192\.0\.2\.1/);
});
