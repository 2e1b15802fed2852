import { displaced } from '../../core/recording/file-name.ts';
import type { RecordingId } from '../../core/recording/recording.ts';
import { decodeClaim } from '../store/claim.ts';
import { parseKey } from '../store/layout.ts';
import { releaseKey } from '../store/reservation.ts';
import { deleteAll, getObject, type Storage } from '../store/storage.ts';
import { decodeCheckpoint } from '../store/tail.ts';

/**
 * Deletes what a writer left that did not know its recording is complete: the objects, the uploads that its
 * checkpoints name, and names that it reserved anew.
 */
export async function deleteLeftovers(
  storage: Storage,
  id: RecordingId,
  keys: readonly string[],
): Promise<void> {
  for (const key of keys) {
    const parsed = parseKey(key);
    if (parsed?.kind !== 'claim' && parsed?.kind !== 'checkpoint') continue;
    const bytes = await getObject(storage, key);
    if (!bytes) continue;
    if (parsed.kind === 'claim') {
      const { name } = decodeClaim(bytes);
      await releaseKey(storage, id, name);
      await releaseKey(storage, id, displaced(name, parsed.epoch));
    } else {
      const { key, upload } = decodeCheckpoint(bytes);
      if (upload !== undefined) await abortUpload(storage, key, upload);
    }
  }
  await deleteAll(storage, keys);
}

async function abortUpload({ objects, patience }: Storage, key: string, id: string): Promise<void> {
  await patience.until(`abort upload of ${key}`, 0, (timeoutMs) =>
    objects.abortUpload({ key, id }, { timeoutMs }),
  );
}
