import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../harness/condition.ts';
import { Fixture } from '../harness/fixture.ts';
import { COLOURS, hearsTone, seesMovingPicture, succeeded } from '../harness/viewing.ts';
import { sentSsrcs } from '../harness/wire.ts';

const fixture = await Fixture.start({ MILLRACE_WORKERS: '1' });

test('a publisher who mutes stops the packets of every viewer, and a key frame begins the picture again', async () => {
  const publisher = await fixture.open('chromium');
  const viewers = [await fixture.open('chromium'), await fixture.open('firefox')];
  succeeded(await publisher.publish('muted', { colour: COLOURS.blue }));
  for (const viewer of viewers) {
    succeeded(await viewer.play('muted'));
    await seesMovingPicture(viewer, 'blue');
    await hearsTone(viewer, 440);
  }
  const muted = await publisher.request('stream.mute', 'muted', { video: true, audio: true });
  succeeded(muted);
  assert.deepEqual(muted.data, { video: true, audio: true });
  for (const viewer of viewers) {
    await eventually('no more media', async () => {
      const before = await viewer.perceive();
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const after = await viewer.perceive();
      return after.framesDecoded === before.framesDecoded && after.audioBytes === before.audioBytes;
    });
  }
  const keyFrames = await Promise.all(
    viewers.map(async (viewer) => (await viewer.perceive()).keyFramesDecoded),
  );
  const unmuted = await publisher.request('stream.mute', 'muted', { video: false });
  assert.deepEqual(unmuted.data, { video: false, audio: true });
  for (const [index, viewer] of viewers.entries()) {
    const seen = await seesMovingPicture(viewer, 'blue', { timeoutMs: 10_000 });
    assert.ok(seen.keyFramesDecoded > (keyFrames[index] ?? 0), 'the picture began again without a key frame');
  }
  await publisher.close();
  for (const viewer of viewers) await viewer.close();
});

test('a viewer muted for 30 s is sent only negotiated SSRCs, and its estimate does not fall', async () => {
  const publisher = await fixture.open('chromium');
  const viewer = await fixture.open('chromium');
  const other = await fixture.open('firefox');
  succeeded(
    await publisher.publish('one-muted', { colour: 'noise', width: 640, height: 480, simulcast: true }),
  );
  const played = await viewer.play('one-muted');
  succeeded(played);
  succeeded(await other.play('one-muted'));
  await eventually('moving pictures', async () => (await viewer.perceive()).framesDecoded > 100, {
    timeoutMs: 60_000,
  });
  const negotiated = new Set(
    [...String(played.data.sdp).matchAll(/a=ssrc:(\d+) /g)].map(([, ssrc]) => Number(ssrc)),
  );
  const estimate = () => fixture.availableBitrateBps('one-muted');
  const before = await estimate();

  succeeded(await viewer.request('stream.mute', 'one-muted', { video: true, audio: true }));
  const viewerPort = await viewer.run<number>(
    `playback.pc.getStats().then((stats) => { const pair = [...stats.values()].find((r) => r.type === 'candidate-pair' && r.nominated); return stats.get(pair.localCandidateId).port; })`,
  );
  const otherFrames = (await other.perceive()).framesDecoded;
  const ssrcs = await sentSsrcs({ fromPort: fixture.server.rtcPort, toPort: viewerPort, durationMs: 30_000 });
  assert.deepEqual(
    [...ssrcs].filter((ssrc) => !negotiated.has(ssrc)),
    [],
    'SSRCs that no answer named',
  );
  assert.ok((await other.perceive()).framesDecoded > otherFrames + 100, 'another viewer was muted too');

  const after = await estimate();
  assert.ok(after >= before * 0.8, `the estimate fell from ${before} to ${after} bit/s`);
  succeeded(await viewer.request('stream.mute', 'one-muted', { video: false, audio: false }));
  const frames = (await viewer.perceive()).framesDecoded;
  await eventually('the picture again', async () => (await viewer.perceive()).framesDecoded > frames + 10);
  await publisher.close();
  await viewer.close();
  await other.close();
});
