import type { Logger } from 'pino';
import { MillraceError } from '../../core/protocol/error.ts';
import type { RecordingId, RecordingKey, RecordingSpec } from '../../core/recording/recording.ts';
import { type Metadata, type ObjectInfo, StorageConflict } from '../../core/storage/object-store.ts';
import { Superseded } from './claim.ts';
import { specKey } from './layout.ts';
import { encodeSpec } from './spec.ts';
import { deleteAll, type Storage } from './storage.ts';

/** The object that keeps a key for a recording until its file is complete. */
export interface Reservation {
  readonly key: RecordingKey;
  readonly etag: string;
}

/** Whose the object at a key is. */
export type KeyState =
  | { readonly kind: 'free' }
  | { readonly kind: 'reserved'; readonly etag: string }
  | { readonly kind: 'complete'; readonly info: ObjectInfo }
  | { readonly kind: 'foreign' };

const RECORDING = 'millrace-recording';
const STATE = 'millrace-state';

export function markOf(id: RecordingId, state: 'reserved' | 'complete'): Metadata {
  return { [RECORDING]: id, [STATE]: state };
}

export async function stateOfKey(storage: Storage, id: RecordingId, key: string): Promise<KeyState> {
  const info = await storage.patience.until(`head ${key}`, 0, (timeoutMs) =>
    storage.objects.head(key, { timeoutMs }),
  );
  if (!info) return { kind: 'free' };
  if (info.metadata[RECORDING] !== id) return { kind: 'foreign' };
  return info.metadata[STATE] === 'complete'
    ? { kind: 'complete', info }
    : { kind: 'reserved', etag: info.etag };
}

/**
 * Keeps a recording's key for it, and says in storage that there is such a recording. Again for the same
 * recording gives the same.
 *
 * @throws MillraceError `name_taken`
 */
export async function reserveRecording(
  storage: Storage,
  spec: RecordingSpec,
  log: Logger,
): Promise<Reservation> {
  await putSpec(storage, spec);
  try {
    return await reserveKey(storage, spec.id, spec.key, log);
  } catch (error) {
    if (error instanceof MillraceError && error.errorName === 'name_taken') {
      await deleteAll(storage, [specKey(spec.id)]);
    }
    throw error;
  }
}

/** There before any other object of the recording: what a sweep finds without it belongs to none. */
export async function putSpec({ objects, patience }: Storage, spec: RecordingSpec): Promise<void> {
  const body = encodeSpec(spec);
  await patience.until('put spec', body.length, (timeoutMs) =>
    objects.put(specKey(spec.id), body, { timeoutMs, contentType: 'application/json' }),
  );
}

/** @throws MillraceError `name_taken`; Superseded when the recording's file is complete there */
export async function reserveKey(
  storage: Storage,
  id: RecordingId,
  key: RecordingKey,
  log: Logger,
): Promise<Reservation> {
  const before = await stateOfKey(storage, id, key);
  if (before.kind === 'reserved') return { key, etag: before.etag };
  if (before.kind === 'free') {
    const put = await putMark(storage, id, key);
    if (put !== 'conflict') {
      // A second one must fail; where it does not, it has only replaced our own.
      const again = await putMark(storage, id, key);
      if (again === 'conflict') return { key, etag: put.etag };
      log.warn({ key, location: storage.objects.location }, 'storage ignores If-None-Match: names may clash');
      return { key, etag: again.etag };
    }
    const after = await stateOfKey(storage, id, key);
    if (after.kind === 'reserved') return { key, etag: after.etag };
  }
  if (before.kind === 'complete') throw new Superseded(`${key} is complete`);
  throw new MillraceError(
    'name_taken',
    `${JSON.stringify(key)} exists in the storage; use another file name`,
  );
}

/** Its content makes the ETag its own: an empty object's would be that of anybody's empty object. */
async function putMark(
  { objects, patience }: Storage,
  id: RecordingId,
  key: string,
): Promise<{ readonly etag: string } | 'conflict'> {
  const body = Buffer.from(`reserved for recording ${id}\n`);
  const options = { ifNoneMatch: '*', contentType: 'video/webm', metadata: markOf(id, 'reserved') } as const;
  try {
    return await patience.until(`reserve ${key}`, 0, (timeoutMs) =>
      objects.put(key, body, { ...options, timeoutMs }),
    );
  } catch (error) {
    if (error instanceof StorageConflict) return 'conflict';
    throw error;
  }
}

/** Gives a key back that has been kept for a recording, if it is kept still; and ends what was to be uploaded there. */
export async function releaseKey(storage: Storage, id: RecordingId, key: string): Promise<void> {
  const state = await stateOfKey(storage, id, key);
  if (state.kind !== 'reserved') return;
  await abortUploads(storage, key);
  await deleteAll(storage, [key]);
}

/** Only for a key that holds an object of ours: an upload there could do nothing but write over it. */
export async function abortUploads({ objects, patience }: Storage, key: string): Promise<void> {
  const uploads = await patience.until(`list uploads of ${key}`, 0, (timeoutMs) =>
    objects.uploads(key, { timeoutMs }),
  );
  for (const upload of uploads.filter((one) => one.key === key)) {
    await patience.until('abort upload', 0, (timeoutMs) => objects.abortUpload(upload, { timeoutMs }));
  }
}
