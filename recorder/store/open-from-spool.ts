import { attemptOf } from '../../core/recording/recording.ts';
import type { CheckpointName } from './chain.ts';
import { Claim, Superseded } from './claim.ts';
import { filePrefix, parseKey, recordingPrefix, specKey } from './layout.ts';
import { claimant, type OpenContext, reservationIn, storeOf } from './open-context.ts';
import { type RecoveredFile, recoverFile } from './recovery.ts';
import { getObject, listAll } from './storage.ts';
import type { RecordingStore } from './store.ts';

export interface LeftInSpool {
  readonly file: number;
  readonly recovered: RecoveredFile;
}

/**
 * What a writer of the same attempt left on this machine: the spool has all behind the last part, and an
 * attempt is on one machine. Others' may have been continued elsewhere since.
 */
export async function leftInSpool({ spool, options }: OpenContext): Promise<LeftInSpool | undefined> {
  const { id } = options.spec;
  const keys = (await spool.list(recordingPrefix(id))).map(parseKey).filter((key) => key !== undefined);
  const files = keys.flatMap((key) => (key.kind === 'checkpoint' ? [key.file] : []));
  const file = options.file ?? Math.max(...files);
  if (!files.includes(file)) return undefined;
  const recovered = await recoverFile({ spool }, id, file);
  if (!recovered || attemptOf(recovered.epoch) !== attemptOf(options.epoch)) return undefined;
  return { file, recovered };
}

export function openFromSpool(context: OpenContext, { file, recovered }: LeftInSpool): RecordingStore {
  const { coveredTo } = recovered.checkpoint;
  return storeOf(context, {
    file,
    // Without storage nobody knows what else would survive this machine.
    recovered: { ...recovered, storedTo: coveredTo },
    reservation: reservationIn(recovered),
    completed: [],
    establish: () => establish(context, file, recovered.from),
  });
}

/**
 * What opening would have done first: claims the file, and sees that storage has no later checkpoint than this
 * writer began from.
 *
 * @throws Superseded
 */
async function establish(context: OpenContext, file: number, from: CheckpointName): Promise<void> {
  const { storage, options } = context;
  const { id } = options.spec;
  await new Claim(storage, claimant(context, file)).make();
  for (const { key } of await listAll(storage, filePrefix(id, file))) {
    const found = parseKey(key);
    if (found?.kind !== 'checkpoint') continue;
    if (found.epoch > from.epoch || (found.epoch === from.epoch && found.n > from.n)) {
      throw new Superseded('the predecessor has written on meanwhile');
    }
  }
  if ((await getObject(storage, specKey(id))) === undefined)
    throw new Superseded('the recording is complete');
}
