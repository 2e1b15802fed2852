import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MillraceError } from '../../core/protocol/index.ts';
import { newSigner, recordingLog, sign } from './harness/signers.ts';
import { matchingKeys, readKeySet } from './key-set.ts';
import { RevocationFile } from './revocation-file.ts';
import { TokenAuthoriser } from './token-authoriser.ts';

function list(t: TestContext, content: string) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-revoked-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'revoked');
  writeFileSync(path, content);
  const { records, log } = recordingLog();
  const file = new RevocationFile({ path, log, intervalMs: 5 });
  t.after(() => file.close());
  return { path, file, logged: (text: string) => records.some(({ msg }) => String(msg).includes(text)) };
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`waited 5 s until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('a token is refused by its own id or by its subject, and one that was good is known as revoked', async (t) => {
  const { path, file } = list(t, 'jti bad\n');
  const signer = newSigner('HS256');
  const { keys } = readKeySet(Buffer.from(signer.content));
  const authoriser = new TokenAuthoriser(
    { keysFor: async (algorithm, id) => matchingKeys(keys, algorithm, id), close: () => undefined },
    { expiryRequired: true, revocations: file },
    Date.now,
  );
  const refused = (error: unknown) => error instanceof MillraceError && error.errorName === 'token_revoked';
  await assert.rejects(authoriser.identify(await sign(signer, { jti: 'bad' })), refused);
  const good = await sign(signer, { jti: 'good', sub: 'bob' });
  const identity = await authoriser.identify(good);
  assert.equal(identity.revoked?.(), false);
  writeFileSync(path, 'jti bad\nsub bob\n');
  await until('bob is revoked', () => identity.revoked?.() === true);
  await assert.rejects(authoriser.identify(good), refused);
  assert.ok(await authoriser.identify(await sign(signer, { sub: 'carol' })));
});

test('while the changed list is broken or gone, what was taken back stays so', async (t) => {
  const { path, file, logged } = list(t, 'sub bob\n');
  writeFileSync(path, 'bob\n');
  await until('it is said', () => logged('the changed revocations cannot be used; the former stay'));
  assert.equal(file.has('bob', undefined), true);
  rmSync(path);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(file.has('bob', undefined), true);
  writeFileSync(path, '');
  await until('it is taken', () => !file.has('bob', undefined));
});

test('a list that cannot be used at first is an error', (t) => {
  assert.throws(() => list(t, 'bob'), /line 1 is neither/);
});
