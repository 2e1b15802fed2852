import type { Logger } from 'pino';
import { MillraceError } from '../../core/protocol/error.ts';
import { displaced } from '../../core/recording/file-name.ts';
import type { RecordingFile, RecordingKey } from '../../core/recording/recording.ts';
import {
  type Condition,
  StorageConflict,
  type Upload,
  type UploadedPart,
} from '../../core/storage/object-store.ts';
import { HEAD_BYTES } from '../chunk.ts';
import { releaseKey, reserveKey, stateOfKey } from '../store/reservation.ts';
import { getObject, inParallel, type Storage } from '../store/storage.ts';
import { durationIn, finalMetadata } from './description.ts';
import { salvage } from './salvage.ts';
import type { FileEnds, UnfinishedFile } from './unfinished-file.ts';

export interface FinishOptions {
  readonly ends: FileEnds;
  /** Of all parts but the last. */
  readonly partBytes: number;
  readonly log: Logger;
}

/** Conflicts that a finisher goes on after; each is another finisher's doing, or a store's that answers twice. */
const ROUNDS = 6;
const PARTS_AT_ONCE = 4;
/** So often an upload must be missing, while its object is, to be taken for lost. */
const GONE_AFTER = 3;
const GONE_PAUSE_MS = 2000;

/** Where a file goes, and what may be there when it comes. */
interface Target {
  readonly key: RecordingKey;
  readonly condition: Condition;
  readonly upload?: Upload;
}

/**
 * Makes the object of a file, or finds that somebody has. Every step can be done again, by another process
 * too; nothing that is not this recording's is written over.
 *
 * @returns undefined for a file without media, whose key is free again
 * @throws MillraceError `name_taken` when others wrote at its key after its parts had gone there: they stay
 *   where they are, and it can be finished once the key is free; `internal` when its parts were aborted by
 *   others and nothing can be saved
 */
export async function finishFile(
  storage: Storage,
  whole: UnfinishedFile,
  options: FinishOptions,
): Promise<RecordingFile | undefined> {
  let file = whole;
  let seenGone = 0;
  for (let round = 1; ; round++) {
    const target = await targetOf(storage, file, options.log);
    if ('bytes' in target) return target;
    if (file.endOffset <= HEAD_BYTES) {
      await releaseKey(storage, file.spec.id, target.key);
      return undefined;
    }
    try {
      return await complete(storage, file, target, options);
    } catch (error) {
      if (!(error instanceof StorageConflict)) throw error;
      options.log.warn({ err: error, key: target.key, round }, 'finishing met a conflict');
      if (round === ROUNDS) throw conflictError(file, error);
      if (!target.upload || !(await isGone(storage, target.upload))) continue;
      // Another finisher may just complete it: where its object is seen a little later is the store's affair.
      seenGone++;
      if (file.parts.length === 0) file = withoutUpload(file);
      else if (seenGone >= GONE_AFTER) file = await salvage(storage, file, options.log);
      else await storage.patience.rest(GONE_PAUSE_MS);
    }
  }
}

async function targetOf(
  storage: Storage,
  file: UnfinishedFile,
  log: Logger,
): Promise<Target | RecordingFile> {
  const { key } = file.reservation;
  const state = await stateOfKey(storage, file.spec.id, key);
  const upload = file.upload === undefined ? {} : { upload: { key, id: file.upload } };
  switch (state.kind) {
    case 'complete':
      return fileAt(key, state.info, file);
    case 'reserved':
      return { key, condition: { ifMatch: state.etag }, ...upload };
    case 'free':
      return { key, condition: { ifNoneMatch: '*' }, ...upload };
    case 'foreign':
      return await elsewhere(storage, file, log);
  }
}

/** Others have written at the key. Parts cannot move, but what has none yet can be completed elsewhere. */
async function elsewhere(
  storage: Storage,
  file: UnfinishedFile,
  log: Logger,
): Promise<Target | RecordingFile> {
  const { key } = file.reservation;
  if (file.parts.length > 0) {
    throw new MillraceError(
      'name_taken',
      `${JSON.stringify(key)} was written by somebody else while it was recorded; move that object away, and it is completed`,
    );
  }
  const other = displaced(key, file.epoch);
  const state = await stateOfKey(storage, file.spec.id, other);
  if (state.kind === 'complete') return fileAt(other, state.info, file);
  const { etag } = await reserveKey(storage, file.spec.id, other, log);
  log.warn({ key, instead: other }, 'somebody else wrote at the key: the file gets another name');
  return { key: other, condition: { ifMatch: etag } };
}

function fileAt(
  key: RecordingKey,
  info: { readonly bytes: number; readonly metadata: Readonly<Record<string, string>> },
  { durationMs }: UnfinishedFile,
): RecordingFile {
  return { key, bytes: info.bytes, durationMs: durationIn(info.metadata) ?? durationMs };
}

/** @throws StorageConflict when somebody was there first, or the upload is gone */
async function complete(
  storage: Storage,
  file: UnfinishedFile,
  target: Target,
  options: FinishOptions,
): Promise<RecordingFile> {
  const { objects, patience } = storage;
  const { key, condition } = target;
  const upload = target.upload ?? (await createUpload(storage, file, key));
  const cues = options.ends.cues(file.cues);
  const head = options.ends.head({
    tracks: file.tracks,
    startedAtMs: file.startedAtMs,
    durationMs: file.durationMs,
    mediaBytes: file.endOffset,
    cuesBytes: cues.length,
  });
  const parts = await inParallel(
    missingParts(storage, file, head, cues, options.partBytes),
    ({ number, body }) => uploadPart(storage, upload, number, body),
    PARTS_AT_ONCE,
  );
  const all = [...parts, ...file.parts].map(({ number, etag }) => ({ number, etag }));
  all.sort((a, b) => a.number - b.number);
  await patience.until(`complete ${key}`, 0, (timeoutMs) =>
    objects.completeUpload(upload, all, { ...condition, timeoutMs: timeoutMs * 20 }),
  );
  return await checked(storage, file, key, file.endOffset + cues.length);
}

async function createUpload(
  { objects, patience }: Storage,
  file: UnfinishedFile,
  key: string,
): Promise<Upload> {
  return await patience.until(`create upload of ${key}`, 0, (timeoutMs) =>
    objects.createUpload(key, { timeoutMs, contentType: 'video/webm', metadata: finalMetadata(file) }),
  );
}

async function uploadPart(
  { objects, patience }: Storage,
  upload: Upload,
  number: number,
  body: () => Promise<Uint8Array>,
): Promise<UploadedPart> {
  const bytes = await body();
  const { etag } = await patience.until(`upload part ${number}`, bytes.length, (timeoutMs) =>
    objects.uploadPart(upload, number, bytes, { timeoutMs }),
  );
  return { number, etag };
}

interface MissingPart {
  readonly number: number;
  body(): Promise<Uint8Array>;
}

/** The first part with its head, and all behind the parts that are there: equal ones, the last with the cues. */
function missingParts(
  storage: Storage,
  file: UnfinishedFile,
  head: Uint8Array,
  cues: Uint8Array,
  partBytes: number,
): readonly MissingPart[] {
  const missing: MissingPart[] = [];
  let number = file.nextPartNumber;
  if (file.head !== undefined) {
    const from = file.head;
    missing.push({
      number: 1,
      body: async () => withHead(head, await getObject(storage, from), from),
    });
  }
  const end = file.endOffset + cues.length;
  for (let from = file.coveredTo; from < end; from += partBytes) {
    const to = Math.min(from + partBytes, end);
    const body = async () => {
      const media =
        from < file.endOffset ? await file.read(from, Math.min(to, file.endOffset)) : new Uint8Array();
      const tail = cues.subarray(Math.max(0, from - file.endOffset), Math.max(0, to - file.endOffset));
      const bytes = Buffer.concat([media, tail]);
      return from === 0 ? withHead(head, bytes, 'the first tails') : bytes;
    };
    missing.push({ number: from === 0 ? 1 : number++, body });
  }
  return missing;
}

/** @throws StorageConflict when the bytes are gone: whoever completed the file has deleted them */
function withHead(head: Uint8Array, bytes: Uint8Array | undefined, from: string): Uint8Array {
  if (!bytes) throw new StorageConflict(`${from} is gone`);
  return Buffer.concat([head, bytes.subarray(head.length)]);
}

async function checked(
  storage: Storage,
  file: UnfinishedFile,
  key: RecordingKey,
  bytes: number,
): Promise<RecordingFile> {
  const state = await stateOfKey(storage, file.spec.id, key);
  if (state.kind !== 'complete') throw new StorageConflict(`${key} is ${state.kind} after it was completed`);
  if (state.info.bytes !== bytes) {
    throw new MillraceError('internal', `${key} has ${state.info.bytes} bytes instead of ${bytes}`);
  }
  return { key, bytes, durationMs: file.durationMs };
}

async function isGone({ objects, patience }: Storage, { key, id }: Upload): Promise<boolean> {
  const uploads = await patience.until(`list uploads of ${key}`, 0, (timeoutMs) =>
    objects.uploads(key, { timeoutMs }),
  );
  return !uploads.some((upload) => upload.key === key && upload.id === id);
}

function withoutUpload({ upload: _, ...file }: UnfinishedFile): UnfinishedFile {
  return file;
}

function conflictError({ reservation: { key } }: UnfinishedFile, cause: unknown): MillraceError {
  return new MillraceError('storage_unavailable', `${key} could not be completed: ${ROUNDS} conflicts`, {
    cause,
  });
}
