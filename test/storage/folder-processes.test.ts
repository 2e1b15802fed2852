import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openFolder } from '../../adapters/storage/folder/folder.ts';
import { type ObjectStore, StorageConflict } from '../../core/storage/object-store.ts';
import { FolderActor } from '../harness/folder-actors.ts';

const LONG = { timeoutMs: 60_000 };
const MIB = 1024 ** 2;
const ROUNDS = 25;

const text = (content: string) => new TextEncoder().encode(content);

async function folderWith(t: TestContext, actors: number) {
  const root = mkdtempSync(join(tmpdir(), 'millrace-processes-'));
  const store = openFolder(root);
  const started = await Promise.all(Array.from({ length: actors }, () => FolderActor.start(root)));
  t.after(async () => {
    await Promise.all(started.map((actor) => actor.stop()));
    store.close();
    rmSync(root, { recursive: true, force: true });
  });
  return { root, store, actors: started };
}

/** Replaces the object again and again. @returns the ETags that it replaced */
async function replace(actor: FolderActor, name: string, until: () => boolean): Promise<readonly string[]> {
  const replaced: string[] = [];
  while (!until()) {
    const { etag = '' } = (await actor.call('head', 'a', LONG)) ?? {};
    const size = 1 + replaced.length * 1000;
    try {
      const body = text(`${name} over ${etag} `.padEnd(size, '.'));
      await actor.call('put', 'a', body, { ...LONG, ifMatch: etag, metadata: { name, over: etag } });
      replaced.push(etag);
    } catch (error) {
      if (!(error instanceof StorageConflict)) throw error;
    }
  }
  return replaced;
}

async function agrees(store: ObjectStore): Promise<void> {
  const [content, info] = [await store.get('a', LONG), await store.head('a', LONG)];
  const { name, over } = info?.metadata ?? {};
  assert.ok(
    Buffer.from(content ?? [])
      .toString()
      .startsWith(`${name} over ${over} `),
    JSON.stringify(info),
  );
}

function draftsIn(root: string): readonly string[] {
  return readdirSync(join(root, '.millrace/.store/drafts'));
}

describe('Processes that use one folder', () => {
  it('replace each version once, though they are stopped in the middle and run on', async (t) => {
    const { root, store, actors } = await folderWith(t, 3);
    await store.put('a', text('first'), LONG);
    let done = false;
    const replacing = actors.map((actor, index) => replace(actor, `actor ${index}`, () => done));
    for (let round = 0; round < ROUNDS; round++) {
      const actor = actors[round % actors.length];
      actor?.signal('SIGSTOP');
      await sleep(10 + Math.random() * 40);
      actor?.signal('SIGCONT');
      await sleep(Math.random() * 5);
    }
    done = true;
    const replaced = (await Promise.all(replacing)).flat();
    assert.ok(replaced.length > ROUNDS, `only ${replaced.length} replaced`);
    assert.equal(new Set(replaced).size, replaced.length, 'a version was replaced twice');
    await agrees(store);
    assert.deepEqual(draftsIn(root), []);
    assert.deepEqual(readdirSync(join(root, '.millrace/.store/claims')), []);
    assert.equal(readdirSync(join(root, '.millrace/.store/metadata')).length, 1);
  });

  it('go on where another was killed, with a whole object at every moment', async (t) => {
    const { root, store } = await folderWith(t, 0);
    await store.put('a', text('actor 0 over x '), { ...LONG, metadata: { name: 'actor 0', over: 'x' } });
    for (let round = 0; round < ROUNDS; round++) {
      const actor = await FolderActor.start(root);
      const replacing = replace(actor, `actor ${round}`, () => false).catch((error: Error) => error);
      await sleep(20 + Math.random() * 30);
      await actor.stop();
      assert.match(String(await replacing), /ended|closed/);
      await agrees(store);
      const { etag = '' } = (await store.head('a', LONG)) ?? {};
      const taken = store.put('a', text(`me over ${etag} `), {
        ...LONG,
        ifMatch: etag,
        metadata: { name: 'me', over: etag },
      });
      // What the dead one had claimed is finished for it, and it is the one that won.
      await taken.catch((error: unknown) => assert.ok(error instanceof StorageConflict, String(error)));
      await agrees(store);
    }
  });

  it('complete an upload whose sender was stopped, and what that one does later changes nothing', async (t) => {
    const { store, actors } = await folderWith(t, 2);
    for (let round = 0; round < 12; round++) {
      const key = `live/${round}.webm`;
      const reserved = await store.put(key, text(`reserved ${round}`), { ...LONG, ifNoneMatch: '*' });
      const [old, next] = actors as [FolderActor, FolderActor];
      const upload = await old.call('createUpload', key, {
        ...LONG,
        metadata: {},
        contentType: 'video/webm',
      });
      const parts = await Promise.all(
        [1, 2, 3, 4].map(async (number) => {
          const body = new Uint8Array(5 * MIB).fill(number);
          return { number, ...(await old.call('uploadPart', upload, number, body, LONG)) };
        }),
      );
      // The old one goes on sending, and begins to complete.
      const late = [5, 6, 7, 8].map((number) =>
        old.call('uploadPart', upload, number, new Uint8Array(5 * MIB).fill(number), LONG),
      );
      const own = old.call('completeUpload', upload, parts, { ...LONG, ifMatch: reserved.etag });
      const [ownDone, ...lateDone] = [own, ...late].map((call) => call.then(() => true, conflictOnly));
      await sleep(Math.random() * 15);
      old.signal('SIGSTOP');

      // The other has something to add, or not.
      const adding = round % 2 === 0;
      const last = adding
        ? await next
            .call('uploadPart', upload, 20, text('the end'), LONG)
            .then((part) => [{ number: 20, ...part }], conflictNone)
        : [];
      const nextDone = await next
        .call('completeUpload', upload, [...parts, ...(last ?? [])], { ...LONG, ifMatch: reserved.etag })
        .then(() => true, conflictOnly);
      const before = await store.head(key, LONG);
      old.signal('SIGCONT');
      await Promise.all(lateDone);
      const wins = [nextDone, await ownDone].filter(Boolean).length;
      assert.equal(wins, 1);
      const after = await store.head(key, LONG);
      if (nextDone) assert.deepEqual(after, before);
      assert.equal(after?.bytes, 20 * MIB + (nextDone && adding ? 7 : 0));
      const content = Buffer.from((await store.get(key, LONG)) ?? []);
      for (const [index, { number }] of parts.entries()) {
        assert.equal(
          content.subarray(index * 5 * MIB, (index + 1) * 5 * MIB).every((byte) => byte === number),
          true,
        );
      }
      assert.equal(content.subarray(20 * MIB).toString(), nextDone && adding ? 'the end' : '');
    }
  });
});

function conflictOnly(error: unknown): false {
  assert.ok(error instanceof StorageConflict, String(error));
  return false;
}

function conflictNone(error: unknown): undefined {
  conflictOnly(error);
  return undefined;
}
