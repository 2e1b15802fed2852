import type { SessionId } from '../../../core/protocol/session-id.ts';
import type { SessionRecord } from '../../../core/registry/record.ts';
import { type Page, SESSION_FENCED_MS, type SessionTaken } from '../../../core/registry/registry.ts';
import { frozenCopy } from './frozen-copy.ts';
import { pageOf } from './page.ts';

/** How often the sessions that ran out are looked for, at most. */
const SWEEP_EVERY_US = 1_000_000;

interface Kept {
  /** Absent = deleted, and remembered against what is written late. */
  readonly record?: SessionRecord;
  readonly epoch: number;
  readonly endsUs: number;
}

/** Sessions until their time runs out. They are swept out as others are written, so no timer is needed. */
export class Sessions {
  readonly #sessions = new Map<SessionId, Kept>();
  #sweptUs = 0;

  save(session: SessionRecord, ttlMs: number, nowUs: number): boolean {
    if (nowUs - this.#sweptUs >= SWEEP_EVERY_US) this.#sweep(nowUs);
    const { id, epoch, signaling } = session;
    const kept = this.#kept(id, nowUs);
    if (kept !== undefined) {
      if (kept.epoch > epoch) return false;
      if (kept.epoch === epoch && kept.record?.signaling !== signaling) return false;
    }
    this.#sessions.set(id, { record: frozenCopy(session), epoch, endsUs: nowUs + ttlMs * 1000 });
    return true;
  }

  find(id: SessionId, nowUs: number): SessionRecord | undefined {
    return this.#kept(id, nowUs)?.record;
  }

  take(id: SessionId, signaling: string, ttlMs: number, nowUs: number): SessionTaken | undefined {
    const record = this.find(id, nowUs);
    if (record === undefined) return undefined;
    const epoch = Math.max(nowUs, record.epoch + 1);
    const session = frozenCopy({ ...record, signaling, epoch });
    this.#sessions.set(id, { record: session, epoch, endsUs: nowUs + ttlMs * 1000 });
    return { session, from: record.signaling };
  }

  delete(id: SessionId, epoch: number, nowUs: number): boolean {
    const kept = this.#kept(id, nowUs);
    if (kept === undefined) return true;
    if (kept.epoch > epoch) return false;
    this.#sessions.set(id, { epoch, endsUs: nowUs + SESSION_FENCED_MS * 1000 });
    return true;
  }

  page(page: Page, nowUs: number): SessionRecord[] {
    this.#sweep(nowUs);
    const live = [...this.#sessions].flatMap(([id, { record }]) =>
      record === undefined ? [] : [[id, record] as const],
    );
    return pageOf(new Map(live), page);
  }

  #kept(id: SessionId, nowUs: number): Kept | undefined {
    const kept = this.#sessions.get(id);
    return kept !== undefined && nowUs < kept.endsUs ? kept : undefined;
  }

  #sweep(nowUs: number): void {
    this.#sweptUs = nowUs;
    for (const [id, { endsUs }] of this.#sessions) {
      if (nowUs >= endsUs) this.#sessions.delete(id);
    }
  }
}
