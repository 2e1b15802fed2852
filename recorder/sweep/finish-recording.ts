import type { Logger } from 'pino';
import { displaced, rolledOver } from '../../core/recording/file-name.ts';
import type {
  RecordingEpoch,
  RecordingFile,
  RecordingId,
  RecordingSpec,
} from '../../core/recording/recording.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { forgetRecording, settleFile } from '../finish/aftermath.ts';
import { completedFile, completedFiles } from '../finish/completed-files.ts';
import { PART_BYTES, webmEnds } from '../finish/ends.ts';
import { finishFile } from '../finish/finish-file.ts';
import type { FileEnds } from '../finish/unfinished-file.ts';
import { unfinishedFrom } from '../finish/unfinished-recovered.ts';
import { Claim } from '../store/claim.ts';
import { type Disk, LocalDisk } from '../store/disk.ts';
import { doneKey, parseKey, recordingPrefix, type StoredKey, specKey } from '../store/layout.ts';
import { type Places, recoverFile } from '../store/recovery.ts';
import { releaseKey } from '../store/reservation.ts';
import type { Sleep } from '../store/sleep.ts';
import { decodeDone, decodeSpec } from '../store/spec.ts';
import { Spool } from '../store/spool.ts';
import { getObject, inTime, listAll, type Storage } from '../store/storage.ts';
import { deleteLeftovers } from './leftovers.ts';

export interface FinishRecordingOptions {
  readonly objects: ObjectStore;
  readonly id: RecordingId;
  /** Higher than those of all writers and finishers before: from now on none of them writes. */
  readonly epoch: RecordingEpoch;
  /** This machine's: what storage did not get in time may be there. */
  readonly spoolDirectory?: string;
  /** For tests. */
  readonly ends?: FileEnds;
  readonly log: Logger;
  readonly timeoutMs: number;
  /** For tests. */
  readonly partBytes?: number;
  readonly sleep?: Sleep;
  /** Instead of `spoolDirectory`. */
  readonly disk?: Disk;
}

export interface FinishedRecording {
  readonly spec: RecordingSpec;
  /** In order; none when there was no media. */
  readonly files: readonly RecordingFile[];
}

/**
 * Completes all files of a recording from what lies in storage, and deletes everything else of it. Killed at
 * any point of it, it is to be done again. Only for who was granted it.
 *
 * @returns undefined when storage knows no such recording (any more); leftovers of it are deleted
 * @throws Superseded when somebody else has a higher epoch; MillraceError as `finishFile`, and
 *   `storage_unavailable` when it took too long
 */
export async function finishRecording(
  options: FinishRecordingOptions,
): Promise<FinishedRecording | undefined> {
  return await inTime(options, 'the recording could not be completed', (storage) =>
    finishAll(placesOf(storage, options), options),
  );
}

/**
 * Completes the files of a recording that are whole, as the next one has begun: those with a number below
 * `before`. The recording goes on.
 *
 * @param before from 0
 * @throws as `finishRecording`
 */
export async function finishFilesBefore(
  options: FinishRecordingOptions,
  spec: RecordingSpec,
  before: number,
): Promise<readonly RecordingFile[]> {
  return await inTime(options, 'the files before it could not be completed', async (storage) => {
    const keys = parsed((await listAll(storage, recordingPrefix(spec.id))).map(({ key }) => key));
    return await finishEach(placesOf(storage, options), options, spec, keys, before);
  });
}

function placesOf(storage: Storage, options: FinishRecordingOptions): FinishPlaces {
  const { log, spoolDirectory } = options;
  const disk = options.disk ?? (spoolDirectory === undefined ? undefined : new LocalDisk(spoolDirectory));
  const spool = disk && new Spool(disk, (error) => log.warn({ err: error }, 'the spool failed'));
  return { storage, ...(spool ? { spool } : {}) };
}

function parsed(keys: readonly string[]): readonly StoredKey[] {
  return keys.map(parseKey).filter((key) => key !== undefined);
}

/** Storage is the truth; the spool may have more. */
type FinishPlaces = Places & { readonly storage: Storage };

async function finishAll(
  places: FinishPlaces,
  options: FinishRecordingOptions,
): Promise<FinishedRecording | undefined> {
  const { storage, spool } = places;
  const { id } = options;
  const stored = (await listAll(storage, recordingPrefix(id))).map(({ key }) => key);
  const bytes = await getObject(storage, specKey(id));
  if (!bytes) {
    await deleteLeftovers(storage, id, stored);
    await spool?.deleteAll(recordingPrefix(id));
    return undefined;
  }
  const spec = decodeSpec(bytes);
  const keys = parsed(stored);
  const last = Math.max(0, ...keys.map((key) => ('file' in key ? key.file : 0)));
  const files = [...(await finishEach(places, options, spec, keys, last + 1))];
  // A finisher that died when it had said that some were complete may have begun to delete what says so.
  if (files.length > last) files.push(...(await completedFiles(storage, spec, last + 1)));
  await forgetRecording(storage, id);
  await spool?.deleteAll(recordingPrefix(id));
  return { spec, files };
}

async function finishEach(
  places: FinishPlaces,
  options: FinishRecordingOptions,
  spec: RecordingSpec,
  keys: readonly StoredKey[],
  before: number,
): Promise<readonly RecordingFile[]> {
  const files: RecordingFile[] = [];
  for (let file = 0; file < before; file++) {
    const finished =
      (await doneFile(places.storage, keys, spec.id, file)) ??
      (await finishOne(places, options, spec, keys, file));
    if (finished) files.push(finished);
  }
  return files;
}

async function doneFile(
  storage: Storage,
  keys: readonly StoredKey[],
  id: RecordingId,
  file: number,
): Promise<RecordingFile | undefined> {
  if (!keys.some((key) => key.kind === 'done' && key.file === file)) return undefined;
  const bytes = await getObject(storage, doneKey(id, file));
  return bytes && decodeDone(bytes);
}

async function finishOne(
  places: FinishPlaces,
  options: FinishRecordingOptions,
  spec: RecordingSpec,
  keys: readonly StoredKey[],
  file: number,
): Promise<RecordingFile | undefined> {
  const { storage } = places;
  const { epoch, ends = webmEnds, log, partBytes = PART_BYTES } = options;
  await new Claim(storage, { spec, file, epoch }).make();
  const recovered = await recoverFile(places, spec.id, file);
  if (!recovered) {
    await releaseReservations(storage, spec, keys, file);
    return await completedFile(storage, spec, file);
  }
  const unfinished = unfinishedFrom(recovered, spec, file);
  const finished = await finishFile(storage, unfinished, { ends, partBytes, log });
  await settleFile(storage, unfinished, finished, log);
  return finished;
}

/** Of a file that was never begun: its own name, and those that writers took when it was taken. */
async function releaseReservations(
  storage: Storage,
  { id, key }: RecordingSpec,
  keys: readonly StoredKey[],
  file: number,
): Promise<void> {
  const own = rolledOver(key, file + 1);
  const epochs = keys.flatMap((one) => (one.kind === 'claim' && one.file === file ? [one.epoch] : []));
  for (const name of [own, ...epochs.map((epoch) => displaced(own, epoch))])
    await releaseKey(storage, id, name);
}
