import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../harness/condition.ts';
import { Fixture } from '../harness/fixture.ts';
import { seesMovingPicture, succeeded } from '../harness/viewing.ts';
import { openPage, playBy, publishBy } from './harness/clients.ts';
import { isLive } from './harness/outside-client.ts';

const OTHER_ORIGIN = 'http://localhost:8000';
const fixture = await Fixture.start({
  MILLRACE_RESUME_TIMEOUT: '3s',
  MILLRACE_ICE_CONSENT_TIMEOUT: '8s',
  MILLRACE_LOST_MEDIA_TIMEOUT: '2s',
  MILLRACE_ALLOWED_ORIGINS: OTHER_ORIGIN,
});
const { httpUrl } = fixture.server;

async function sessions(): Promise<number> {
  const list = (await (await fetch(`${httpUrl}/api/v1/sessions`)).json()) as { sessions: unknown[] };
  return list.sessions.length;
}

/** An expression for the id of the candidate pair that carries media. Chromium says it by the transport. */
function selectedPair(peer: string): string {
  return `${peer}.getStats().then((stats) => {
    const reports = [...stats.values()];
    const transport = reports.find((report) => report.selectedCandidatePairId);
    return transport?.selectedCandidatePairId ?? reports.find((report) => report.selected)?.id ?? null;
  })`;
}

for (const browser of ['chromium', 'firefox'] as const) {
  describe(browser, () => {
    test('both ends restart ICE, and the picture goes on', async () => {
      const stream = `restart-${browser}`;
      const publisher = await openPage(`${browser} by WHIP`, fixture);
      await publisher.publish(stream, { colour: 'rgb(0,0,200)' });
      const viewer = await openPage(`${browser} by WHIP`, fixture);
      await viewer.play(stream);
      await seesMovingPicture(viewer, 'blue');
      for (const [page, peer] of [
        [publisher, 'publication.pc'],
        [viewer, 'playback.pc'],
      ] as const) {
        const ufrag = `/ice-ufrag:(.*)/.exec(${peer}.remoteDescription.sdp)[1]`;
        const before = await page.run<string>(ufrag);
        const pair = await page.run<string>(selectedPair(peer));
        assert.equal(await page.run(`session.restart(${peer})`), '"2"');
        assert.notEqual(await page.run<string>(ufrag), before);
        await eventually('media to go over a pair of the new ICE session', async () => {
          const now = await page.run<string | null>(selectedPair(peer));
          return now !== null && now !== pair;
        });
        await seesMovingPicture(viewer, 'blue', { frames: 20 });
      }
      assert.equal(await viewer.run('session.end()'), 200);
      assert.equal(await publisher.run('session.end()'), 200);
      await viewer.close();
      await publisher.close();
    });

    test('a page of a listed origin publishes, restarts ICE and ends', async () => {
      const page = await openPage(`${browser} by WHIP`, fixture, OTHER_ORIGIN);
      assert.equal(await page.run('location.origin'), OTHER_ORIGIN);
      await page.run('(session.headers.Authorization = "Bearer any", null)');
      succeeded(await page.publish(`cors-${browser}`, {}));
      await isLive(httpUrl, `cors-${browser}`);
      assert.equal(await page.run('session.restart(publication.pc)'), '"2"');
      assert.equal(await page.run('session.end()'), 200);
      await page.close();
    });
  });
}

test('sessions last for as long as their media, far beyond the resume time, and go with it', async (t) => {
  const publisher = await publishBy('chromium by WHIP', fixture, 'lasting', { colour: 'green', toneHz: 440 });
  const viewer = await playBy('aiortc', fixture, 'lasting');
  t.after(() => viewer.close());
  await isLive(httpUrl, 'lasting');
  await seesMovingPicture(viewer, 'green');
  // The test is about this span of time itself.
  await new Promise((resolve) => setTimeout(resolve, 6000));
  await seesMovingPicture(viewer, 'green');
  assert.equal(await sessions(), 2);
  // Its tab is closed: it says nothing, and its media stops.
  await publisher.close();
  await eventually('both sessions to end', async () => (await sessions()) === 0, { timeoutMs: 40_000 });
});
