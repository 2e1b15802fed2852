import { describe, test } from 'node:test';
import { Fixture } from '../harness/fixture.ts';
import { type Colour, hearsTone, seesMovingPicture } from '../harness/viewing.ts';
import { CLIENTS, playBy, publishBy } from './harness/clients.ts';
import { isLive } from './harness/outside-client.ts';

const fixture = await Fixture.start();
const colours: readonly Colour[] = ['red', 'green', 'blue'];

describe('what one client publishes, every other plays', () => {
  for (const [index, from] of CLIENTS.entries()) {
    describe(from, () => {
      const stream = `from ${from}`;
      const colour = colours[index % colours.length] ?? 'red';
      const toneHz = 440 + 100 * index;

      test('is played by all', async (t) => {
        const publisher = await publishBy(from, fixture, stream, { colour, toneHz });
        try {
          await isLive(fixture.server.httpUrl, stream);
          for (const to of CLIENTS) {
            await t.test(to, async () => {
              const viewer = await playBy(to, fixture, stream);
              try {
                await seesMovingPicture(viewer, colour);
                await hearsTone(viewer, toneHz);
              } finally {
                await viewer.close();
              }
            });
          }
        } finally {
          await publisher.close();
        }
      });
    });
  }
});
