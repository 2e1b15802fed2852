import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { openFolder } from '../../adapters/storage/folder/folder.ts';
import type { RecordingId, RecordingKey } from '../../core/recording/recording.ts';
import { recording } from '../../core/registry/conformance-trial.ts';
import { recordingStorage } from '../recording-storage.ts';
import { claimKey, tailKey } from '../store/layout.ts';

const ID = '0123456789abcdef0123456789abcdef' as RecordingId;
const OTHER = 'f'.repeat(32) as RecordingId;
const timeoutMs = 5000;

test('A recording that is given up leaves nothing, and another one has its name', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-discard-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const objects = openFolder(join(folder, 'recordings'));
  const log = pino({ level: 'silent' });
  const storage = recordingStorage({
    objects,
    spoolDirectory: join(folder, 'spool'),
    log,
    wallClock: Date.now,
  });
  const [own, other] = [recording(ID, { key: 'a.webm' as RecordingKey }), recording(OTHER)];
  await storage.reserve(own, { timeoutMs });
  await storage.reserve(other, { timeoutMs });
  await objects.createUpload('a.webm', { timeoutMs, contentType: 'video/webm', metadata: {} });
  for (const key of [claimKey(ID, 0, 65_536), tailKey(ID, 0, 65_536, 0)]) {
    await objects.put(key, Buffer.from('{}'), { timeoutMs });
  }
  const ids = async () => (await storage.unfinished({ limit: 10, timeoutMs })).map(({ spec }) => spec.id);
  assert.deepEqual((await ids()).sort(), [ID, OTHER]);

  await storage.discard(own, { timeoutMs });
  await storage.discard(own, { timeoutMs });
  assert.deepEqual(await ids(), [OTHER]);
  assert.equal(await objects.head('a.webm', { timeoutMs }), undefined);
  assert.deepEqual(await objects.uploads('', { timeoutMs }), []);
  await storage.reserve(recording('e'.repeat(32), { key: 'a.webm' as RecordingKey }), { timeoutMs });
});

test('What is not its own is left alone', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-discard-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const objects = openFolder(join(folder, 'recordings'));
  const log = pino({ level: 'silent' });
  const storage = recordingStorage({
    objects,
    spoolDirectory: join(folder, 'spool'),
    log,
    wallClock: Date.now,
  });
  await objects.put('a.webm', Buffer.from('somebody’s'), { timeoutMs });
  await storage.discard(recording(ID, { key: 'a.webm' as RecordingKey }), { timeoutMs });
  assert.equal((await objects.head('a.webm', { timeoutMs }))?.bytes, 12);
});
