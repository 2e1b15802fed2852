import type { RecorderReport } from '../../core/channel/recorder.ts';
import { NO_PROGRESS } from '../../core/recording/progress.ts';
import type { RecordingProgress, RecordingState } from '../../core/recording/recording.ts';
import { EffortTally, type StorageEffort } from '../../core/recording/storage-effort.ts';
import type { MuxerNotice, ReceiverNotice } from '../supervisor-message.ts';

/** What the parts say of themselves, as it is told to home. */
export class Findings {
  readonly #now: () => number;
  readonly #effort = new EffortTally();
  #receiving = false;
  #mediaAtMs: number;
  #progress: RecordingProgress = NO_PROGRESS;
  #receiverHindrance: string | undefined;

  /** @param now milliseconds that never go back */
  constructor(now: () => number) {
    this.#now = now;
    this.#mediaAtMs = now();
  }

  /** @returns whether home should know at once, as of the next three */
  received({ receiving, silentMs, message }: ReceiverNotice & { readonly type: 'alive' }): boolean {
    this.#mediaAtMs = this.#now() - silentMs;
    this.#receiverHindrance = message;
    return this.#setReceiving(receiving);
  }

  receiverLost(): boolean {
    return this.#setReceiving(false);
  }

  progressed(progress: RecordingProgress): boolean {
    const before = this.#progress;
    this.#progress = progress;
    return progress.state !== before.state || progress.startedAtMs !== before.startedAtMs;
  }

  /** What the muxer's storage took; told home with the next report. */
  took(effort: StorageEffort): void {
    this.#effort.add(effort);
  }

  hindered(message: string): void {
    this.#progress = { ...this.#progress, message };
  }

  finished({ files, startedAtMs, gaps }: MuxerNotice & { readonly type: 'finished' }): void {
    const { message: _, ...progress } = this.#progress;
    const durationMs = files.reduce((sum, file) => sum + file.durationMs, 0);
    this.#progress = {
      ...progress,
      ...(startedAtMs !== undefined && { startedAtMs }),
      ...(gaps !== undefined && { gaps }),
      bytes: files.reduce((sum, file) => sum + file.bytes, 0),
      receivedMs: durationMs,
      durableMs: durationMs,
      spoolBytes: 0,
      files,
    };
  }

  /** @param state instead of the muxer's */
  report(
    state: RecordingState | undefined,
  ): Pick<RecorderReport, 'progress' | 'receiving' | 'silentMs' | 'storage'> {
    const message = this.#progress.message ?? (state === undefined ? this.#receiverHindrance : undefined);
    return {
      progress: {
        ...this.#progress,
        ...(state !== undefined && { state }),
        ...(message !== undefined && { message }),
      },
      receiving: this.#receiving,
      silentMs: Math.max(0, Math.round(this.#now() - this.#mediaAtMs)),
      storage: this.#effort.take(),
    };
  }

  #setReceiving(receiving: boolean): boolean {
    const changed = receiving !== this.#receiving;
    this.#receiving = receiving;
    return changed;
  }
}
