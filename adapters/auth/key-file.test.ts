import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { newSigner, recordingLog, type Signer } from './harness/signers.ts';
import { KeyFile } from './key-file.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-keys-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

function watch(t: TestContext, path: string) {
  const { records, log } = recordingLog();
  const file = new KeyFile({ path, log, intervalMs: 5 });
  t.after(() => file.close());
  const knows = async ({ algorithm, jwk }: Signer) =>
    (await file.keysFor(algorithm, undefined)).some(
      ({ key }) => 'export' in key && key.export({ format: 'jwk' }).x === jwk.x,
    );
  const logged = (text: string) => records.filter(({ msg }) => String(msg).includes(text));
  return { knows, logged };
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`waited 5 s until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const [first, second, third] = [newSigner('ES256'), newSigner('EdDSA'), newSigner('ES256')];

test('a changed file is taken, written anew or replaced', async (t) => {
  const path = join(folder(t), 'keys.pem');
  writeFileSync(path, first.content);
  const { knows, logged } = watch(t, path);
  assert.ok(await knows(first));
  writeFileSync(path, first.content + second.content);
  await until('both are known', async () => (await knows(first)) && (await knows(second)));
  writeFileSync(`${path}.new`, third.content);
  renameSync(`${path}.new`, path);
  await until('only the new one is known', async () => (await knows(third)) && !(await knows(first)));
  assert.equal(await knows(second), false);
  assert.equal(logged('reloaded').length, 2);
});

test('a link that leads elsewhere is a changed file, as with a mounted Secret', async (t) => {
  const at = folder(t);
  for (const [name, signer] of [
    ['one', first],
    ['two', third],
  ] as const)
    writeFileSync(join(at, name), signer.content);
  symlinkSync('one', join(at, 'link'));
  const { knows } = watch(t, join(at, 'link'));
  assert.ok(await knows(first));
  symlinkSync('two', join(at, 'next'));
  renameSync(join(at, 'next'), join(at, 'link'));
  await until('the other is known', () => knows(third));
});

test('while the file is gone or broken the former keys stay, and the log says it once', async (t) => {
  const path = join(folder(t), 'keys.pem');
  writeFileSync(path, first.content);
  const { knows, logged } = watch(t, path);
  writeFileSync(path, 'half a ');
  await until('it is said', () => logged('the former stay').length > 0);
  rmSync(path);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(logged('the former stay').length, 1);
  assert.ok(await knows(first));
  writeFileSync(path, second.content);
  await until('the new one is known', () => knows(second));
  assert.equal(JSON.stringify(logged('')).includes('half a'), false);
});

test('a file that cannot be used at first is an error', (t) => {
  const path = join(folder(t), 'keys.pem');
  const { log } = recordingLog();
  assert.throws(() => new KeyFile({ path, log }), /ENOENT/);
  writeFileSync(path, 'short');
  assert.throws(() => new KeyFile({ path, log }), /a secret of 5 bytes/);
});
