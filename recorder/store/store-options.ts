import type { Logger } from 'pino';
import type { RecordingEpoch, RecordingSpec } from '../../core/recording/recording.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import type { Disk } from './disk.ts';
import type { Sleep } from './sleep.ts';

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
  /** How long storage may take where the spool has enough to begin with. */
  readonly spoolAfterMs?: number;
  /** For tests. */
  readonly partBytes?: number;
  readonly nowMs?: () => number;
  /** Instead of `spoolDirectory`. */
  readonly disk?: Disk;
  readonly sleep?: Sleep;
}
