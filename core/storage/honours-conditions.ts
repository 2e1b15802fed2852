import { type ObjectStore, StorageConflict } from './object-store.ts';

/**
 * Whether a store keeps to conditions. Some that are compatible with S3 accept them and write all the same;
 * nothing there can be relied on to be written once.
 *
 * @param key of a probe that nobody else uses; it is deleted again
 * @throws MillraceError `storage_unavailable`
 */
export async function honoursConditions(
  store: ObjectStore,
  options: { readonly key: string; readonly timeoutMs: number },
): Promise<boolean> {
  const { key, timeoutMs } = options;
  const body = (text: string) => new TextEncoder().encode(`millrace probe ${text}`);
  try {
    const { etag } = await store.put(key, body('1'), { timeoutMs, ifNoneMatch: '*' });
    if (!(await isRefused(store.put(key, body('2'), { timeoutMs, ifNoneMatch: '*' })))) return false;
    await store.put(key, body('3'), { timeoutMs, ifMatch: etag });
    return await isRefused(store.put(key, body('4'), { timeoutMs, ifMatch: etag }));
  } finally {
    // What it finds out is worth more than a few bytes left behind.
    await store.delete([key], { timeoutMs }).catch(() => {});
  }
}

async function isRefused(put: Promise<unknown>): Promise<boolean> {
  try {
    await put;
    return false;
  } catch (error) {
    if (error instanceof StorageConflict) return true;
    throw error;
  }
}
