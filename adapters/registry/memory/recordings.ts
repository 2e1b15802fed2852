import { hasEnded, NO_PROGRESS } from '../../../core/recording/progress.ts';
import type {
  RecordingId,
  RecordingKey,
  RecordingProgress,
  RecordingRecord,
  RecordingSpec,
} from '../../../core/recording/recording.ts';
import { compareByCodePoint } from '../../../core/registry/order.ts';
import {
  type EnterResult,
  RECORDING_KEPT_MS,
  RECORDING_LEASE_MS,
  type RecordingPage,
  type RecordingTake,
  SWEEP_LEASE_MS,
} from '../../../core/registry/registry.ts';
import { frozenCopy } from './frozen-copy.ts';

/** Ended ones that are remembered; beyond that the one that ended first is forgotten early. */
const MAX_ENDED = 10_000;
/** How often those that ended long ago are looked for, at most. */
const SWEEP_EVERY_MS = 1000;

/** Recordings, and who launches their recorders. */
export class Recordings {
  readonly #records = new Map<RecordingId, RecordingRecord>();
  /** Of those that have not ended. */
  readonly #keys = new Map<RecordingKey, RecordingId>();
  /** In the order in which they ended. */
  readonly #ended = new Set<RecordingId>();
  #sweptMs = 0;
  /** Of storage. */
  #sweeper: { readonly host: string; readonly untilMs: number } | undefined;

  enter(spec: RecordingSpec, host: string, nowMs: number): EnterResult {
    this.#sweep(nowMs);
    const own = this.#records.get(spec.id);
    if (own !== undefined) {
      const entered = own.host === host && !hasEnded(own.progress);
      return entered ? { entered, record: own } : { entered, holder: own };
    }
    const holder = this.#records.get(this.#keys.get(spec.key) ?? spec.id);
    if (holder !== undefined) return { entered: false, holder };
    this.#keys.set(spec.key, spec.id);
    const record = this.#set({ ...spec, host, attempt: 0, progress: NO_PROGRESS, saidAtMs: nowMs });
    return { entered: true, record };
  }

  take({ id, host, seen, stored = 0, gone }: RecordingTake, nowMs: number): RecordingRecord | undefined {
    const record = this.#running(id, seen);
    if (record === undefined) return undefined;
    const others = record.host !== host && record.host !== gone;
    if (others && nowMs < record.saidAtMs + RECORDING_LEASE_MS) return undefined;
    return this.#set({ ...record, host, attempt: Math.max(record.attempt, stored) + 1, saidAtMs: nowMs });
  }

  save(id: RecordingId, attempt: number, progress: RecordingProgress, nowMs: number): boolean {
    const record = this.#running(id, attempt);
    if (record === undefined) return false;
    this.#say({ ...record, progress, saidAtMs: nowMs });
    this.#sweep(nowMs);
    return true;
  }

  reannounce(record: RecordingRecord, nowMs: number): boolean {
    this.#sweep(nowMs);
    const known = this.#records.get(record.id);
    if (known !== undefined) {
      if (known.attempt > record.attempt) return false;
      const same = known.host === record.host && !hasEnded(known.progress);
      if (known.attempt === record.attempt && !same) return false;
      this.#ended.delete(record.id);
    }
    if (!this.#keys.has(record.key)) this.#keys.set(record.key, record.id);
    this.#say({ ...record, saidAtMs: nowMs });
    return true;
  }

  grantFinish(id: RecordingId, attempt: number): boolean {
    return this.#records.get(id)?.attempt === attempt;
  }

  leaseSweep(host: string, nowMs: number): boolean {
    if (this.#sweeper !== undefined && this.#sweeper.host !== host && nowMs < this.#sweeper.untilMs)
      return false;
    this.#sweeper = { host, untilMs: nowMs + SWEEP_LEASE_MS };
    return true;
  }

  forget(id: RecordingId, attempt: number): boolean {
    const record = this.#records.get(id);
    if (record?.attempt !== attempt) return false;
    this.#ended.delete(id);
    this.#freeKey(record);
    return this.#records.delete(id);
  }

  find(id: RecordingId, nowMs: number): RecordingRecord | undefined {
    const record = this.#records.get(id);
    return record !== undefined && this.#isKept(record, nowMs) ? record : undefined;
  }

  page({ after, limit, stream }: RecordingPage, nowMs: number): RecordingRecord[] {
    const from = after === undefined ? undefined : this.find(after, nowMs);
    if (after !== undefined && from === undefined) return [];
    return [...this.#records.values()]
      .filter((record) => stream === undefined || record.stream === stream)
      .filter(
        (record) => this.#isKept(record, nowMs) && (from === undefined || newestFirst(from, record) < 0),
      )
      .sort(newestFirst)
      .slice(0, limit);
  }

  #running(id: RecordingId, attempt: number): RecordingRecord | undefined {
    const record = this.#records.get(id);
    return record?.attempt === attempt && !hasEnded(record.progress) ? record : undefined;
  }

  #say(record: RecordingRecord): void {
    this.#set(record);
    if (!hasEnded(record.progress)) return;
    this.#freeKey(record);
    this.#ended.add(record.id);
  }

  #freeKey({ id, key }: RecordingRecord): void {
    if (this.#keys.get(key) === id) this.#keys.delete(key);
  }

  #set(record: RecordingRecord): RecordingRecord {
    const kept = frozenCopy(record);
    this.#records.set(record.id, kept);
    return kept;
  }

  #isKept({ progress, saidAtMs }: RecordingRecord, nowMs: number): boolean {
    return !hasEnded(progress) || nowMs < saidAtMs + RECORDING_KEPT_MS;
  }

  #sweep(nowMs: number): void {
    if (nowMs - this.#sweptMs < SWEEP_EVERY_MS && this.#ended.size <= MAX_ENDED) return;
    this.#sweptMs = nowMs;
    for (const id of this.#ended) {
      const record = this.#records.get(id);
      if (record !== undefined && this.#isKept(record, nowMs) && this.#ended.size <= MAX_ENDED) return;
      this.#ended.delete(id);
      this.#records.delete(id);
    }
  }
}

function newestFirst(a: RecordingRecord, b: RecordingRecord): number {
  return b.requestedAtMs - a.requestedAtMs || compareByCodePoint(b.id, a.id);
}
