import assert from 'node:assert/strict';
import { after, describe, it, type TestContext } from 'node:test';
import { keysIn } from '../../recorder/store/harness/trial.ts';
import { eventually } from '../harness/condition.ts';
import { FaultProxy, type SeenRequest } from '../harness/fault-proxy.ts';
import type { S3Operation } from '../harness/s3-operation.ts';
import { startVersitygw } from '../harness/versitygw.ts';
import { type Appender, Appending } from './harness/appending.ts';

const PART_BYTES = 5 * 1024 * 1024;
const CHUNK_BYTES = 500_000;
const TIMEOUT_MS = 30_000;
/** Far more changes than it takes to complete a file. */
const MOST_DEATHS = 60;

const CHANGES: readonly S3Operation[] = [
  ...(['PutObject', 'CopyObject', 'UploadPart', 'DeleteObject', 'DeleteObjects'] as const),
  ...(['CreateMultipartUpload', 'CompleteMultipartUpload', 'AbortMultipartUpload'] as const),
];

const s3 = await startVersitygw();
const proxy = await FaultProxy.start({ port: s3.port, secret: s3.credentials.AWS_SECRET_ACCESS_KEY });
after(async () => {
  await proxy.stop();
  await s3.stop();
});

let trials = 0;

/** A file of three parts and a rest of tails, and the process that has written it. */
async function written(t: TestContext) {
  const prefix = `trial-${++trials}`;
  const appending = new Appending(t, { kind: 's3', endpoint: proxy.endpoint, prefix });
  const writer = appending.start({ chunkBytes: CHUNK_BYTES, everyMs: 10 });
  await writer.durable(3 * PART_BYTES + 1);
  writer.tell('pause');
  await eventually('its parts to have been stored', async () => {
    const tails = (await keysIn(appending.objects, '.millrace/')).filter((key) => key.endsWith('.tail'));
    return tails.length <= PART_BYTES / CHUNK_BYTES + 1;
  });
  return { appending, writer };
}

/** Kills it once that was done, before it hears so. @returns what has been done, once it is dead or has finished */
async function killedAt(
  who: Appender,
  isTime: (done: SeenRequest) => boolean,
): Promise<SeenRequest | undefined> {
  let last: SeenRequest | undefined;
  proxy.intercept = (done) => {
    if (last === undefined && isTime(done)) {
      last = done;
      void who.kill();
    }
    return last !== undefined;
  };
  const hasFinished = () => who.words.some(({ type }) => type === 'finished');
  await eventually('its death or its end', () => who.isDead || hasFinished(), { timeoutMs: TIMEOUT_MS });
  proxy.intercept = undefined;
  assert.ok(last !== undefined || hasFinished(), JSON.stringify(who.words.at(-1)));
  return last;
}

/** What was done, to what sort of object. */
function kindOf({ operation, path }: SeenRequest): string {
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/^\d+\.?/, '');
  return `${operation} ${path.includes('/claims/') ? 'claim' : name}`.trim();
}

describe('A recording’s file in S3 is whole, and nothing else is left', () => {
  it('when each of those that complete it is killed after a change that none died behind before', async (t) => {
    const { appending, writer } = await written(t);
    await writer.kill();
    const died: string[] = [];
    for (;;) {
      assert.ok(died.length < MOST_DEATHS, 'it goes on for ever');
      // What is only read leaves everything as it was: a death behind it is one in front of it.
      const isTime = (done: SeenRequest) => CHANGES.includes(done.operation) && !died.includes(kindOf(done));
      const death = await killedAt(appending.finisher(1), isTime);
      if (death === undefined) break;
      died.push(kindOf(death));
    }
    t.diagnostic(`died after ${died.join(', ')}`);
    for (const operation of [
      'UploadPart',
      'CompleteMultipartUpload',
      'CopyObject',
      'PutObject done',
      'DeleteObjects',
    ])
      assert.ok(
        died.some((kind) => kind.startsWith(operation)),
        operation,
      );
    await appending.check();
  });

  const steps: Readonly<Record<string, (done: SeenRequest) => boolean>> = {
    'has looked for claims': ({ operation }) => operation === 'ListObjectsV2',
    'has read the head': ({ operation }) => operation === 'GetObject',
    'has sent a part': ({ operation }) => operation === 'UploadPart',
    'has completed the upload': ({ operation }) => operation === 'CompleteMultipartUpload',
    'has described the object': ({ operation }) => operation === 'CopyObject',
    'has said that the file is complete': ({ path }) => path.endsWith('/done.json'),
    'has begun to delete': ({ operation }) => operation === 'DeleteObjects',
  };
  for (const [what, isTime] of Object.entries(steps)) {
    it(`when its writer is killed as it ${what}`, async (t) => {
      const { appending, writer } = await written(t);
      writer.tell('finish');
      const death = await killedAt(writer, isTime);
      assert.ok(death);
      const finisher = appending.finisher(1);
      await finisher.said('finished');
      await appending.check();
    });
  }
});
