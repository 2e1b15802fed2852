import type { RecordingFile, RecordingKey } from '../../core/recording/recording.ts';
import { PART_BYTES } from '../finish/ends.ts';
import type { Claimant } from './claim.ts';
import { emptyLedger, Ledger, type LedgerStart } from './ledger.ts';
import type { RecoveredFile } from './recovery.ts';
import type { Reservation } from './reservation.ts';
import type { Spool } from './spool.ts';
import type { Storage } from './storage.ts';
import { RecordingStore } from './store.ts';
import type { StoreOptions } from './store-options.ts';

/** What the ways to open a store have in common. */
export interface OpenContext {
  readonly options: StoreOptions;
  /** Its patience ends with the time to open. */
  readonly opening: Storage;
  /** Its patience ends with the store. */
  readonly storage: Storage;
  readonly stop: AbortController;
  readonly spool: Spool;
  /** Of this process' claims. */
  readonly mark: string;
}

export interface Opened {
  readonly file: number;
  readonly recovered: RecoveredFile | undefined;
  readonly reservation: Reservation;
  readonly completed: readonly RecordingFile[];
  readonly establish?: () => Promise<void>;
}

export function claimant({ options: { spec, epoch }, mark }: OpenContext, file: number): Claimant {
  return { spec, file, epoch, mark };
}

export function storeOf({ options, storage, stop, spool }: OpenContext, opened: Opened): RecordingStore {
  const { partBytes = PART_BYTES, nowMs = () => performance.now() } = options;
  const { recovered, ...rest } = opened;
  return new RecordingStore({
    ...options,
    ...{ storage, stop, spool, partBytes, nowMs },
    ...rest,
    ledger: new Ledger(recovered ? ledgerOf(recovered, partBytes) : emptyLedger(partBytes)),
    ...(recovered ? { recovered } : {}),
  });
}

/** It was checked before it went there. */
export function reservationIn({ checkpoint: { key, reservation } }: RecoveredFile): Reservation {
  return { key: key as RecordingKey, etag: reservation };
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
