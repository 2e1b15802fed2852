import type { SessionId } from '../../../core/protocol/session-id.ts';
import type { SessionRecord } from '../../../core/registry/record.ts';
import type { Page } from '../../../core/registry/registry.ts';
import { frozenCopy } from './frozen-copy.ts';
import { pageOf } from './page.ts';

/** How often the sessions that ran out are looked for, at most. */
const SWEEP_EVERY_US = 1_000_000;

/** Sessions until their time runs out. They are swept out as others are written, so no timer is needed. */
export class Sessions {
  readonly #sessions = new Map<SessionId, { readonly record: SessionRecord; readonly endsUs: number }>();
  #sweptUs = 0;

  save(session: SessionRecord, ttlMs: number, nowUs: number): void {
    if (nowUs - this.#sweptUs >= SWEEP_EVERY_US) this.#sweep(nowUs);
    this.#sessions.set(session.id, { record: frozenCopy(session), endsUs: nowUs + ttlMs * 1000 });
  }

  find(id: SessionId, nowUs: number): SessionRecord | undefined {
    const session = this.#sessions.get(id);
    return session !== undefined && nowUs < session.endsUs ? session.record : undefined;
  }

  delete(id: SessionId): void {
    this.#sessions.delete(id);
  }

  page(page: Page, nowUs: number): SessionRecord[] {
    this.#sweep(nowUs);
    return pageOf(this.#sessions, page).map(({ record }) => record);
  }

  #sweep(nowUs: number): void {
    this.#sweptUs = nowUs;
    for (const [id, { endsUs }] of this.#sessions) {
      if (nowUs >= endsUs) this.#sessions.delete(id);
    }
  }
}
