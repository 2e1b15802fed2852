import { describe, test } from 'node:test';
import type { BrowserName } from '../harness/browser.ts';
import { eventually } from '../harness/condition.ts';
import { Fixture } from '../harness/fixture.ts';
import { COLOURS, hearsTone, seesMovingPicture, succeeded } from '../harness/viewing.ts';

const BROWSERS: readonly BrowserName[] = ['chromium', 'firefox'];
const fixture = await Fixture.start();

describe('every pairing of browsers shows moving pictures and plays sound', () => {
  for (const from of BROWSERS) {
    for (const to of BROWSERS) {
      test(`${from} publishes, ${to} plays`, async () => {
        const stream = `${from}-to-${to}`;
        const publisher = await fixture.open(from);
        const viewer = await fixture.open(to);
        succeeded(await publisher.publish(stream, { colour: COLOURS.blue, toneHz: 620 }));
        succeeded(await viewer.play(stream));
        await seesMovingPicture(viewer, 'blue');
        await hearsTone(viewer, 620);
        await publisher.close();
        await viewer.close();
      });
    }
  }
});

describe('every codec that both browsers have is played', () => {
  for (const codec of ['VP9', 'H264', 'AV1']) {
    for (const from of BROWSERS) {
      for (const to of BROWSERS) {
        test(`${codec} from ${from} to ${to}`, async (t) => {
          const stream = `${codec}-${from}-${to}`;
          const publisher = await fixture.open(from);
          const viewer = await fixture.open(to);
          const reply = await publisher.publish(stream, {
            colour: COLOURS.red,
            codec,
            width: 160,
            height: 120,
          });
          if (reply === undefined) {
            t.skip(`${from} does not send ${codec}`);
          } else {
            succeeded(reply);
            const played = await viewer.play(stream);
            succeeded(played);
            // A viewer without the codec still hears the sound; its video section is rejected.
            if (/m=video 0 /.test(String(played.data.sdp))) t.skip(`${to} does not receive ${codec}`);
            else await seesMovingPicture(viewer, 'red', { frames: 5 });
          }
          await publisher.close();
          await viewer.close();
        });
      }
    }
  }
});

describe('a stream of one kind is played by a viewer that offers both', () => {
  for (const browser of BROWSERS) {
    test(`audio only, ${browser}`, async () => {
      const publisher = await fixture.open(browser);
      const viewer = await fixture.open(browser);
      succeeded(await publisher.publish(`audio-${browser}`, { video: false, toneHz: 880 }));
      succeeded(await viewer.play(`audio-${browser}`));
      await hearsTone(viewer, 880);
      await publisher.close();
      await viewer.close();
    });

    test(`video only, ${browser}`, async () => {
      const publisher = await fixture.open(browser);
      const viewer = await fixture.open(browser);
      succeeded(await publisher.publish(`video-${browser}`, { audio: false, colour: COLOURS.green }));
      succeeded(await viewer.play(`video-${browser}`));
      await seesMovingPicture(viewer, 'green');
      await publisher.close();
      await viewer.close();
    });
  }
});

test('a viewer of VP9 with SVC sees the higher of its two spatial layers', async () => {
  const publisher = await fixture.open('chromium');
  const viewer = await fixture.open('chromium');
  const source = { colour: COLOURS.red, codec: 'VP9', scalabilityMode: 'L2T3', width: 640, height: 360 };
  succeeded(await publisher.publish('svc', source));
  succeeded(await viewer.play('svc'));
  await seesMovingPicture(viewer, 'red');
  // A busy machine's browser sends less for a while.
  await eventually('the whole width', async () => (await viewer.perceive()).width === 640, {
    timeoutMs: 60_000,
  });
  await eventually('the report of its layer', async () => {
    const reply = await fetch(`${fixture.server.httpUrl}/api/v1/streams/svc`);
    const { plays } = (await reply.json()) as { plays: { spatial_layer: number | null }[] };
    return plays[0]?.spatial_layer === 1;
  });
  await publisher.close();
  await viewer.close();
});
