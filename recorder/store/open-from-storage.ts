import type { Logger } from 'pino';
import { displaced, rolledOver } from '../../core/recording/file-name.ts';
import type {
  RecordingEpoch,
  RecordingFile,
  RecordingKey,
  RecordingSpec,
} from '../../core/recording/recording.ts';
import { Claim, Superseded } from './claim.ts';
import { doneKey, parseKey, recordingPrefix, type StoredKey, specKey } from './layout.ts';
import { claimant, type OpenContext, reservationIn, storeOf } from './open-context.ts';
import { recoverFile } from './recovery.ts';
import { putSpec, type Reservation, releaseKey, reserveKey } from './reservation.ts';
import { decodeDone } from './spec.ts';
import { getObject, isMillrace, listAll, type Storage } from './storage.ts';
import type { RecordingStore } from './store.ts';

/** Becomes the writer with all that storage and spool have. */
export async function openFromStorage(context: OpenContext): Promise<RecordingStore> {
  const { opening, spool, options } = context;
  const { spec, epoch, log } = options;
  const prefix = recordingPrefix(spec.id);
  const stored = (await listAll(opening, prefix))
    .map(({ key }) => parseKey(key))
    .filter((key) => key !== undefined);
  if (!stored.some(({ kind }) => kind === 'spec')) await putSpec(opening, spec);
  const spooled = (await spool.list(prefix)).map(parseKey).filter((key) => key !== undefined);
  const file = options.file ?? newestFile([...stored, ...spooled]);
  const claim = new Claim(opening, claimant(context, file));
  await claim.make();
  if (options.file === undefined) await demandNewest(opening, prefix, file);
  const recovered = await recoverFile({ storage: opening, spool }, spec.id, file);
  const reservation = recovered
    ? reservationIn(recovered)
    : await reserveFile(opening, spec, file, epoch, claim, log);
  return storeOf(context, { file, recovered, reservation, completed: await completedFiles(opening, stored) });
}

/** Files before the newest may be incomplete still; the one behind it begins where it is complete. */
function newestFile(keys: readonly StoredKey[]): number {
  const files = keys.flatMap((key) => ('file' in key ? [key.file] : []));
  const newest = Math.max(0, ...files);
  return keys.some((key) => key.kind === 'done' && key.file === newest) ? newest + 1 : newest;
}

/**
 * A writer claims its next file before it looks for claims on the one that it completes then: so either it sees
 * this claim, or that one is seen here.
 *
 * @throws Superseded
 */
async function demandNewest(storage: Storage, prefix: string, file: number): Promise<void> {
  const keys = (await listAll(storage, prefix)).map(({ key }) => parseKey(key));
  if (keys.some((key) => key !== undefined && 'file' in key && key.file > file)) {
    throw new Superseded('its predecessor has begun the next file meanwhile');
  }
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
