import { ZodError } from 'zod';
import type { RecordingEpoch, RecordingId } from '../../core/recording/recording.ts';
import { assembleChain, type Chain, type CheckpointName, checkpointsOf, type FoundTail } from './chain.ts';
import { DamagedEnvelope } from './envelope.ts';
import { checkpointKey, filePrefix, parseKey, type StoredKey, tailKey } from './layout.ts';
import type { Spool } from './spool.ts';
import { getObject, inParallel, listAll, type Storage } from './storage.ts';
import { decodeCheckpoint, decodeTail } from './tail.ts';

/** Where a predecessor that writes on, or a successor that cleans up, changes what is being read. */
const ROUNDS = 10;

export interface RecoveredTail extends FoundTail {
  readonly stored: boolean;
  body(): Promise<Uint8Array>;
}

export interface RecoveredFile extends Chain<RecoveredTail> {
  /** Where it begins. */
  readonly from: CheckpointName;
  /** Up to there it can be had from storage alone. */
  readonly storedTo: number;
}

/** At least one of the two. Without storage it may be that it has more. */
export interface Places {
  readonly storage?: Storage;
  /** Of this machine. */
  readonly spool?: Spool;
}

interface Found {
  readonly stored: ReadonlySet<string>;
  readonly spooled: ReadonlySet<string>;
}

/** Something that was listed is not there any more: look again. */
class Changed extends Error {}

/** What is left of a file, wherever it lies; undefined when there is nothing. */
export async function recoverFile(
  places: Places,
  id: RecordingId,
  file: number,
): Promise<RecoveredFile | undefined> {
  let before: string | undefined;
  for (let round = 1; ; round++) {
    const prefix = filePrefix(id, file);
    const listed = places.storage ? await listAll(places.storage, prefix) : [];
    const stored = new Set(listed.map(({ key }) => key));
    const spooled = new Set(await places.spool?.list(prefix));
    const seen = JSON.stringify([...stored, ...spooled]);
    // The same again: nobody changes it, it is so.
    const stable = seen === before || round === ROUNDS;
    before = seen;
    try {
      return await recoverFrom(places, id, file, { stored, spooled }, stable);
    } catch (error) {
      if (!(error instanceof Changed)) throw error;
    }
  }
}

async function recoverFrom(
  places: Places,
  id: RecordingId,
  file: number,
  found: Found,
  stable: boolean,
): Promise<RecoveredFile | undefined> {
  const keys = [...new Set([...found.stored, ...found.spooled])]
    .map(parseKey)
    .filter((key) => key !== undefined);
  let best: RecoveredFile | undefined;
  for (const name of checkpointsOf(keys)) {
    if (best && name.epoch < best.epoch) break;
    const recovered = await chainFrom(places, id, file, name, keys, found);
    if (recovered.whole) return recovered.chain;
    if (!stable) throw new Changed();
    if (recovered.chain && recovered.chain.nextOffset > (best?.nextOffset ?? -1)) best = recovered.chain;
  }
  return best;
}

/** `whole`: nothing that must be there was missing. */
type ChainFound =
  | { readonly whole: true; readonly chain: RecoveredFile }
  | { readonly whole: false; readonly chain?: RecoveredFile };

async function chainFrom(
  places: Places,
  id: RecordingId,
  file: number,
  { epoch, n }: CheckpointName,
  keys: readonly StoredKey[],
  found: Found,
): Promise<ChainFound> {
  const checkpoint = await load(places, checkpointKey(id, file, epoch, n), found, decodeCheckpoint);
  if (!checkpoint) return { whole: false };
  const numbers = keys.flatMap((key) =>
    key.kind === 'tail' && key.epoch === epoch && key.n >= checkpoint.value.firstTail ? [key.n] : [],
  );
  const loaded = await inParallel(numbers, (number) => loadTail(places, id, file, epoch, number, found));
  const tails = loaded.filter((tail) => tail !== undefined);
  const chain = assembleChain(epoch, checkpoint.value, tails);
  if (!chain) return { whole: false };
  const storedOnly = checkpoint.stored
    ? assembleChain(
        epoch,
        checkpoint.value,
        tails.filter(({ stored }) => stored),
      )
    : undefined;
  const storedTo = storedOnly?.nextOffset ?? (checkpoint.stored ? 0 : chain.nextOffset);
  const whole = tails.length === numbers.length && (chain.tails.length > 0 || tails.length === 0);
  return { whole, chain: { ...chain, from: { epoch, n }, storedTo } };
}

async function loadTail(
  places: Places,
  id: RecordingId,
  file: number,
  epoch: RecordingEpoch,
  n: number,
  found: Found,
): Promise<RecoveredTail | undefined> {
  const key = tailKey(id, file, epoch, n);
  const loaded = await load(places, key, found, decodeTail);
  if (!loaded) return undefined;
  const { body, ...header } = loaded.value;
  const again = async () => {
    const bytes = await places.spool?.read(key);
    if (!bytes) throw new Error(`${key} is gone from the spool`);
    return decodeTail(bytes).body;
  };
  return {
    ...header,
    n,
    bytes: body.length,
    stored: loaded.stored,
    // A spool can be larger than memory; what storage has of tails is a few parts at most.
    body: loaded.spooled ? again : async () => body,
  };
}

interface Loaded<T> {
  readonly value: T;
  readonly stored: boolean;
  readonly spooled: boolean;
}

/** From the spool if it is whole there, else from storage. */
async function load<T>(
  { storage, spool }: Places,
  key: string,
  found: Found,
  decode: (bytes: Uint8Array) => T,
): Promise<Loaded<T> | undefined> {
  const stored = found.stored.has(key);
  const copy = found.spooled.has(key) ? await spool?.read(key) : undefined;
  const fromSpool = copy && decoded(copy, decode);
  if (fromSpool) return { value: fromSpool, stored, spooled: true };
  const bytes = stored && storage ? await getObject(storage, key) : undefined;
  const value = bytes && decoded(bytes, decode);
  return value && { value, stored, spooled: false };
}

function decoded<T>(bytes: Uint8Array, decode: (bytes: Uint8Array) => T): T | undefined {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof DamagedEnvelope || error instanceof ZodError) return undefined;
    throw error;
  }
}
