import { openFolder } from '../adapters/storage/folder/folder.ts';
import type { ObjectStore } from '../core/storage/object-store.ts';
import type { RecordingsLocation } from './recordings-value.ts';

/** The store of that setting; nothing is asked of it yet. */
export async function openStorage(location: RecordingsLocation): Promise<ObjectStore> {
  if (location.kind === 'folder') return openFolder(location.path);
  // The SDK takes 120 ms and 35 MB, which only those pay who use it.
  const { openS3 } = await import('../adapters/storage/s3/s3.ts');
  return openS3(location);
}
