import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startVersitygw } from '../harness/versitygw.ts';
import type { StoragePlace } from './harness/appender.ts';
import { Appending } from './harness/appending.ts';

const DEATHS = 20;
const PART_BYTES = 5 * 1024 * 1024;

const places: Readonly<Record<string, (t: TestContext) => Promise<StoragePlace>>> = {
  'a folder': async (t) => {
    const path = mkdtempSync(join(tmpdir(), 'millrace-deaths-'));
    t.after(() => rmSync(path, { recursive: true, force: true }));
    return { kind: 'folder', path };
  },
  S3: async (t) => {
    const s3 = await startVersitygw();
    t.after(() => s3.stop());
    return { kind: 's3', endpoint: s3.endpoint, prefix: 'a/b' };
  },
};

for (const [name, makePlace] of Object.entries(places)) {
  describe(`A recording's file in ${name}`, () => {
    it(`is whole after its writer was killed at ${DEATHS} random moments, on this machine and others`, async (t) => {
      const appending = new Appending(t, await makePlace(t));
      for (let death = 0; death < DEATHS; death++) {
        const writer = appending.start({ machine: randomInt(3) });
        // Every fourth is killed while it opens.
        if (death % 4 > 0) await writer.said('opened');
        await sleep(randomInt(700));
        await writer.kill();
      }
      const writer = appending.start();
      await writer.said('opened');
      await writer.durable(2 * PART_BYTES);
      writer.tell('finish');
      const { files } = await writer.said('finished');
      const chunks = await appending.check();
      assert.equal(files.length, 1);
      assert.equal(files[0]?.durationMs, chunks.length * 1000);
      assert.ok(new Set(chunks.map(({ epoch }) => epoch)).size > DEATHS / 4);
    });

    it('is whole after whoever completed it was killed at random moments', async (t) => {
      const appending = new Appending(t, await makePlace(t));
      const writer = appending.start();
      await writer.durable(4 * PART_BYTES);
      writer.tell('finish');
      await sleep(randomInt(200));
      await writer.kill();
      for (let death = 0; death < 8; death++) {
        const finisher = appending.finisher(death % 2);
        await sleep(150 + randomInt(400));
        await finisher.kill();
      }
      const finisher = appending.finisher();
      await finisher.said('finished');
      await appending.check();
    });

    it('is whole when its writer was stopped and goes on beside its successor', async (t) => {
      const appending = new Appending(t, await makePlace(t));
      const sleeper = appending.start();
      await sleeper.durable(3 * PART_BYTES);
      sleeper.signal('SIGSTOP');
      const successor = appending.start({ machine: 1 });
      await successor.durable(sleeper.durableTo + PART_BYTES);
      sleeper.signal('SIGCONT');
      await successor.durable(sleeper.durableTo + 4 * PART_BYTES);
      const { why } = await sleeper.said('ended');
      assert.equal(why, 'Superseded');
      successor.tell('finish');
      await successor.said('finished');
      const chunks = await appending.check();
      assert.deepEqual([...new Set(chunks.map(({ epoch }) => epoch))], [sleeper.epoch, successor.epoch]);
    });

    it('is whole, and no leftovers stay, when a writer was stopped until it was complete', async (t) => {
      const appending = new Appending(t, await makePlace(t));
      const sleeper = appending.start();
      await sleeper.durable(2 * PART_BYTES);
      sleeper.signal('SIGSTOP');
      const finisher = appending.finisher(1);
      await finisher.said('finished');
      const before = await appending.check();
      sleeper.signal('SIGCONT');
      const { why } = await sleeper.said('ended');
      assert.equal(why, 'Superseded');
      await sleeper.kill();
      const sweeper = appending.finisher();
      assert.deepEqual((await sweeper.said('finished')).files, []);
      assert.deepEqual(await appending.check(), before);
    });

    it('is whole when the spool’s disk is full from the beginning', async (t) => {
      const appending = new Appending(t, await makePlace(t));
      const writer = appending.start({ diskBytes: 1_000_000 });
      await writer.durable(3 * PART_BYTES);
      writer.tell('finish');
      await writer.said('finished');
      await appending.check();
      assert.ok(!writer.words.some(({ type }) => type === 'refused'));
    });
  });
}
