import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../harness/condition.ts';
import { Fixture } from '../harness/fixture.ts';
import { limitFrom, loseFrom } from '../harness/network-fault.ts';
import type { DocumentClientPage } from '../harness/page.ts';
import { COLOURS, hearsTone, seesMovingPicture, succeeded } from '../harness/viewing.ts';

// One worker: everything leaves from its one port.
const fixture = await Fixture.start({ MILLRACE_WORKERS: '1' });
const port = fixture.server.rtcPort;

for (const browser of ['chromium', 'firefox'] as const) {
  test(`2 % loss is repaired by retransmission in ${browser}`, async () => {
    const publisher = await fixture.open('chromium');
    const viewer = await fixture.open(browser);
    succeeded(await publisher.publish('lossy', { colour: COLOURS.blue, width: 640, height: 480, fps: 20 }));
    succeeded(await viewer.play('lossy'));
    await seesMovingPicture(viewer, 'blue');
    const before = await viewer.perceive();
    const loss = loseFrom(port, 0.02);
    try {
      await eventually(
        'retransmissions that answer NACKs',
        async () => {
          const seen = await viewer.perceive();
          return seen.nacks > before.nacks + 3 && seen.framesDecoded > before.framesDecoded + 100;
        },
        { timeoutMs: 120_000 },
      );
      const after = await viewer.perceive();
      assert.ok(
        after.keyFramesDecoded - before.keyFramesDecoded <= 2,
        `repaired by ${after.keyFramesDecoded - before.keyFramesDecoded} key frames instead of retransmission`,
      );
      await hearsTone(viewer, 440);
    } finally {
      loss.remove();
    }
    await publisher.close();
    await viewer.close();
    await eventually(
      'the stream to be free',
      async () => {
        const { streams } = (await (await fetch(`${fixture.server.httpUrl}/api/v1/streams`)).json()) as {
          streams: { viewers: number }[];
        };
        return streams.every(({ viewers }) => viewers === 0);
      },
      { timeoutMs: 60_000 },
    );
  });

  test(`${browser} gets the small simulcast layer under a limit of 320 kbit/s, and the large one again after it`, async () => {
    const stream = `simulcast-${browser}`;
    const publisher = await fixture.open('chromium');
    const viewer = await fixture.open(browser);
    succeeded(
      await publisher.publish(stream, {
        colour: 'noise',
        simulcast: true,
        width: 640,
        height: 360,
        fps: 15,
      }),
    );
    succeeded(await viewer.play(stream));
    await staysAt(viewer, 640);
    const limit = limitFrom(port, 40);
    try {
      await staysAt(viewer, 160);
    } finally {
      limit.remove();
    }
    await staysAt(viewer, 640);
    await publisher.close();
    await viewer.close();
  });
}

/** Waits until the picture has had this width, and no other, for 40 frames on end. */
async function staysAt(viewer: DocumentClientPage, width: number): Promise<void> {
  let since: number | undefined;
  await eventually(
    `40 frames on end, ${width} wide`,
    async () => {
      const seen = await viewer.perceive();
      if (seen.width !== width) since = undefined;
      else since ??= seen.framesDecoded;
      if (since !== undefined && seen.framesDecoded >= since + 40) return true;
      throw new Error(`seen ${seen.width} after ${seen.framesDecoded} frames`);
    },
    { timeoutMs: 150_000 },
  );
}
