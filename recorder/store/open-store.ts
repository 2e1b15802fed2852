import type { Logger } from 'pino';
import { MillraceError } from '../../core/protocol/error.ts';
import { displaced, rolledOver } from '../../core/recording/file-name.ts';
import type {
  RecordingEpoch,
  RecordingFile,
  RecordingKey,
  RecordingSpec,
} from '../../core/recording/recording.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { PART_BYTES } from '../finish/ends.ts';
import { Claim, Superseded } from './claim.ts';
import { type Disk, LocalDisk } from './disk.ts';
import { doneKey, parseKey, recordingPrefix, type StoredKey, specKey } from './layout.ts';
import { emptyLedger, Ledger, type LedgerStart } from './ledger.ts';
import { Patience, type Sleep, Stopped } from './patience.ts';
import { type RecoveredFile, recoverFile } from './recovery.ts';
import { putSpec, type Reservation, releaseKey, reserveKey } from './reservation.ts';
import { decodeDone } from './spec.ts';
import { Spool } from './spool.ts';
import { getObject, isMillrace, listAll, type Storage } from './storage.ts';
import { RecordingStore } from './store.ts';

export interface StoreOptions {
  readonly objects: ObjectStore;
  /** This machine's; shared by all recordings and attempts. */
  readonly spoolDirectory: string;
  readonly spec: RecordingSpec;
  /** From 0; absent = the newest that is not complete. */
  readonly file?: number;
  /** Of this writer; higher than those of all before. */
  readonly epoch: RecordingEpoch;
  readonly log: Logger;
  /** Something became durable. */
  readonly onDurable?: () => void;
  /** How long a chunk took from `append` until storage had it. */
  readonly onFlush?: (ms: number) => void;
  /**
   * It takes nothing more: `Superseded` when another writes now or the file is complete, else what is wrong.
   * Told once, and not after `close` or `finish`.
   */
  readonly onEnd?: (error: unknown) => void;
  readonly openTimeoutMs?: number;
  /** For tests. */
  readonly partBytes?: number;
  readonly nowMs?: () => number;
  /** Instead of `spoolDirectory`. */
  readonly disk?: Disk;
  readonly sleep?: Sleep;
}

const OPEN_TIMEOUT_MS = 30_000;

/**
 * Becomes the writer of a recording's file: claims it, finds what predecessors left in storage and in this
 * machine's spool, reserves the file's key where it is new.
 *
 * @throws Superseded when a later writer has begun, or the file is complete; MillraceError `name_taken`, or
 *   `storage_unavailable` when storage was not to be had in time
 */
export async function openStore(options: StoreOptions): Promise<RecordingStore> {
  const { objects, log, sleep, openTimeoutMs = OPEN_TIMEOUT_MS } = options;
  const stop = new AbortController();
  const patienceUntil = (signal: AbortSignal) => new Patience({ log, signal, ...(sleep ? { sleep } : {}) });
  const opening = patienceUntil(AbortSignal.any([stop.signal, AbortSignal.timeout(openTimeoutMs)]));
  try {
    const storage = { objects, patience: patienceUntil(stop.signal) };
    const store = await open(options, { objects, patience: opening }, storage, stop);
    await store.begin();
    return store;
  } catch (error) {
    stop.abort();
    if (!(error instanceof Stopped)) throw error;
    const why = opening.lastFailure ?? 'it is slow';
    throw new MillraceError(
      'storage_unavailable',
      `${objects.location} could not be opened within ${openTimeoutMs} ms: ${why}`,
    );
  }
}

async function open(
  options: StoreOptions,
  opening: Storage,
  storage: Storage,
  stop: AbortController,
): Promise<RecordingStore> {
  const { spec, epoch, log, partBytes = PART_BYTES, nowMs = () => performance.now() } = options;
  const disk = options.disk ?? new LocalDisk(options.spoolDirectory);
  const spool = new Spool(disk, (error) => log.warn({ err: error }, 'the spool failed'));
  const prefix = recordingPrefix(spec.id);
  const stored = (await listAll(opening, prefix))
    .map(({ key }) => parseKey(key))
    .filter((key) => key !== undefined);
  if (!stored.some(({ kind }) => kind === 'spec')) await putSpec(opening, spec);
  const spooled = (await spool.list(prefix)).map(parseKey).filter((key) => key !== undefined);
  const file = options.file ?? newestFile([...stored, ...spooled]);
  const claim = new Claim(opening, spec, file, epoch);
  await claim.make();
  const recovered = await recoverFile({ storage: opening, spool }, spec.id, file);
  return new RecordingStore({
    ...options,
    ...{ file, storage, stop, spool, partBytes, nowMs },
    ledger: new Ledger(recovered ? ledgerOf(recovered, partBytes) : emptyLedger(partBytes)),
    reservation: recovered
      ? reservationIn(recovered)
      : await reserveFile(opening, spec, file, epoch, claim, log),
    ...(recovered ? { recovered } : {}),
    completed: await completedFiles(opening, stored),
  });
}

/** Files before the newest may be incomplete still; the one behind it begins where it is complete. */
function newestFile(keys: readonly StoredKey[]): number {
  const files = keys.flatMap((key) => ('file' in key ? [key.file] : []));
  const newest = Math.max(0, ...files);
  return keys.some((key) => key.kind === 'done' && key.file === newest) ? newest + 1 : newest;
}

async function reserveFile(
  storage: Storage,
  { id, key }: RecordingSpec,
  file: number,
  epoch: RecordingEpoch,
  claim: Claim,
  log: Logger,
): Promise<Reservation> {
  const wanted = rolledOver(key, file + 1);
  const reservation = await reserveKey(storage, id, wanted, log).catch((error) => {
    // Nobody who could choose another name is asking any more.
    if (file === 0 || !isMillrace(error, 'name_taken')) throw error;
    return reserveKey(storage, id, displaced(wanted, epoch), log);
  });
  try {
    // Of a reservation made after the recording was ended nobody else would know.
    await claim.check();
  } catch (error) {
    if (error instanceof Superseded) await releaseAbandoned(storage, id, reservation.key);
    throw error;
  }
  return reservation;
}

/** Unless a successor of this recording counts on it. */
async function releaseAbandoned(storage: Storage, id: RecordingSpec['id'], key: RecordingKey): Promise<void> {
  if ((await getObject(storage, specKey(id))) === undefined) await releaseKey(storage, id, key);
}

function reservationIn({ checkpoint: { key, reservation } }: RecoveredFile): Reservation {
  return { key: key as Reservation['key'], etag: reservation };
}

function ledgerOf({ checkpoint, tails, storedTo }: RecoveredFile, partBytes: number): LedgerStart {
  const { coveredTo, head, parts, partLimit, cues, gaps } = checkpoint;
  const stored = tails.findLast(({ offset, bytes }) => offset + bytes <= storedTo);
  return {
    ...{ partBytes, coveredTo, parts, cues, gaps },
    hasHead: head !== undefined,
    nextPartNumber: partLimit + 1,
    durable: { offset: storedTo, endMs: stored?.endMs ?? 0 },
  };
}

/** By the order of the files. */
async function completedFiles(
  storage: Storage,
  keys: readonly StoredKey[],
): Promise<readonly RecordingFile[]> {
  const files: RecordingFile[] = [];
  for (const key of keys) {
    const bytes = key.kind === 'done' ? await getObject(storage, doneKey(key.id, key.file)) : undefined;
    if (bytes) files.push(decodeDone(bytes));
  }
  return files;
}
