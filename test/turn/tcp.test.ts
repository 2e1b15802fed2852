import { test } from 'node:test';
import { eventually } from '../harness/condition.ts';
import { Fixture } from '../harness/fixture.ts';
import { dropAllUdp } from '../harness/network-fault.ts';
import type { DocumentClientPage } from '../harness/page.ts';
import { COLOURS, hearsTone, seesMovingPicture, succeeded } from '../harness/viewing.ts';

const fixture = await Fixture.start({ MILLRACE_WORKERS: '1' });

async function demandTcp(page: DocumentClientPage, name: string): Promise<void> {
  await eventually('a connection by TCP', async () => {
    const protocol = await page.run(`${name}.pc.getStats().then((stats) => {
      const transport = [...stats.values()].find(({ type }) => type === 'transport');
      return stats.get(stats.get(transport?.selectedCandidatePairId)?.localCandidateId)?.protocol ?? null;
    })`);
    return protocol === 'tcp';
  });
}

test('where UDP to the media ports is dropped, Chromium publishes and plays by TCP', async () => {
  const drop = dropAllUdp(fixture.server.rtcPort);
  try {
    const publisher = await fixture.open('chromium');
    const viewer = await fixture.open('chromium');
    succeeded(await publisher.publish('by-tcp', { colour: COLOURS.green, toneHz: 700 }));
    await demandTcp(publisher, 'publication');
    succeeded(await viewer.play('by-tcp'));
    await demandTcp(viewer, 'playback');
    await seesMovingPicture(viewer, 'green');
    await hearsTone(viewer, 700);
    await publisher.close();
    await viewer.close();
  } finally {
    drop.remove();
  }
});
