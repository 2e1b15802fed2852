import type { Logger } from 'pino';
import type { RecordingFile, RecordingId } from '../../core/recording/recording.ts';
import { StorageConflict } from '../../core/storage/object-store.ts';
import { doneKey, filePrefix, parseKey, recordingPrefix, specKey } from '../store/layout.ts';
import { abortUploads, stateOfKey } from '../store/reservation.ts';
import { encodeDone } from '../store/spec.ts';
import { deleteAll, listAll, type Storage } from '../store/storage.ts';
import { durationIn, finalMetadata, sidecarOf } from './description.ts';
import type { UnfinishedFile } from './unfinished-file.ts';

/**
 * What is left to do when a file is complete: it is described, said to be done, and what it was made from is
 * deleted. Done again after a death at any point of it, it does what is left.
 */
export async function settleFile(
  storage: Storage,
  unfinished: UnfinishedFile,
  file: RecordingFile | undefined,
  log: Logger,
): Promise<void> {
  const { spec, reservation, upload } = unfinished;
  if (upload !== undefined) {
    await storage.patience.until('abort upload', 0, (timeoutMs) =>
      storage.objects.abortUpload({ key: reservation.key, id: upload }, { timeoutMs }),
    );
  }
  if (file) {
    await describeObject(storage, unfinished, file, log);
    if (spec.sidecar) await putSidecar(storage, unfinished, file, log);
    await abortUploads(storage, file.key);
    const body = encodeDone(file);
    await storage.patience.until('put done', body.length, (timeoutMs) =>
      storage.objects.put(doneKey(spec.id, unfinished.file), body, { timeoutMs }),
    );
  }
  await deleteChain(storage, spec.id, unfinished.file);
}

/** Large objects of some stores cannot be described again; what they say then is what their upload said. */
async function describeObject(
  storage: Storage,
  unfinished: UnfinishedFile,
  { key }: RecordingFile,
  log: Logger,
): Promise<void> {
  const state = await stateOfKey(storage, unfinished.spec.id, key);
  if (state.kind !== 'complete' || durationIn(state.info.metadata) !== undefined) return;
  const metadata = finalMetadata(unfinished);
  try {
    const described = await storage.patience.until(`describe ${key}`, state.info.bytes, (timeoutMs) =>
      storage.objects.setMetadata(key, metadata, { timeoutMs, ifMatch: state.info.etag }),
    );
    if (!described) log.info({ key }, 'the object is too large for its metadata to be replaced');
  } catch (error) {
    if (!(error instanceof StorageConflict)) throw error;
    log.warn({ err: error, key }, 'somebody replaced or deleted the finished object');
  }
}

async function putSidecar(
  { objects, patience }: Storage,
  unfinished: UnfinishedFile,
  file: RecordingFile,
  log: Logger,
): Promise<void> {
  const key = `${file.key}.json`;
  const body = sidecarOf(unfinished, file);
  try {
    await patience.until(`put ${key}`, body.length, (timeoutMs) =>
      objects.put(key, body, { timeoutMs, ifNoneMatch: '*', contentType: 'application/json' }),
    );
  } catch (error) {
    if (!(error instanceof StorageConflict)) throw error;
    const there = await patience.until(`get ${key}`, 0, (timeoutMs) => objects.get(key, { timeoutMs }));
    if (!there || !Buffer.from(there).equals(body))
      log.warn({ key }, 'the sidecar’s name is taken by others');
  }
}

/** The newest checkpoint goes after the tails and head that it names, and the claims last. */
async function deleteChain(storage: Storage, id: RecordingId, file: number): Promise<void> {
  const keys = (await listAll(storage, filePrefix(id, file))).map(({ key }) => key);
  const kinds = new Map(keys.map((key) => [key, parseKey(key)?.kind]));
  const of = (...wanted: readonly string[]) => keys.filter((key) => wanted.includes(kinds.get(key) ?? ''));
  const checkpoints = of('checkpoint');
  await deleteAll(storage, [...of('tail', 'head'), ...checkpoints.slice(0, -1)]);
  await deleteAll(storage, checkpoints.slice(-1));
  await deleteAll(storage, of('claim'));
}

/** Everything of a recording whose files are all complete; what says that there is such a recording goes last. */
export async function forgetRecording(storage: Storage, id: RecordingId): Promise<void> {
  const keys = (await listAll(storage, recordingPrefix(id))).map(({ key }) => key);
  await deleteAll(
    storage,
    keys.filter((key) => key !== specKey(id)),
  );
  await deleteAll(storage, [specKey(id)]);
}
