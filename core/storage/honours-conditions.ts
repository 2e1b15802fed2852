import { type ObjectStore, StorageConflict } from './object-store.ts';

/**
 * Whether a store keeps to conditions, of a put and of the end of an upload. Some that are compatible with S3
 * accept them and write all the same; nothing there can be relied on to be written once.
 *
 * @param key of a probe that nobody else uses; it is deleted again
 * @throws MillraceError `storage_unavailable`
 */
export async function honoursConditions(
  store: ObjectStore,
  options: { readonly key: string; readonly timeoutMs: number },
): Promise<boolean> {
  const { key, timeoutMs } = options;
  try {
    const { etag } = await store.put(key, probe('1'), { timeoutMs, ifNoneMatch: '*' });
    if (!(await isRefused(store.put(key, probe('2'), { timeoutMs, ifNoneMatch: '*' })))) return false;
    await store.put(key, probe('3'), { timeoutMs, ifMatch: etag });
    if (!(await isRefused(store.put(key, probe('4'), { timeoutMs, ifMatch: etag })))) return false;
    return await completingIsRefused(store, key, etag, timeoutMs);
  } finally {
    // What it finds out is worth more than a few bytes left behind.
    await store.delete([key], { timeoutMs }).catch(() => {});
  }
}

async function completingIsRefused(
  store: ObjectStore,
  key: string,
  ifMatch: string,
  timeoutMs: number,
): Promise<boolean> {
  const options = { timeoutMs, metadata: {}, contentType: 'text/plain' };
  const upload = await store.createUpload(key, options);
  try {
    const { etag } = await store.uploadPart(upload, 1, probe('5'), { timeoutMs });
    return await isRefused(store.completeUpload(upload, [{ number: 1, etag }], { timeoutMs, ifMatch }));
  } finally {
    await store.abortUpload(upload, { timeoutMs }).catch(() => {});
  }
}

function probe(text: string): Uint8Array {
  return new TextEncoder().encode(`millrace probe ${text}`);
}

async function isRefused(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return false;
  } catch (error) {
    if (error instanceof StorageConflict) return true;
    throw error;
  }
}
