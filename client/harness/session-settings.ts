import { systemClock } from '../src/clock.ts';
import type { SessionSettings } from '../src/session.ts';

/** Times short enough for tests, and no chance. */
export function sessionSettings(url: string, changes: Partial<SessionSettings> = {}): SessionSettings {
  return {
    url,
    token: async () => undefined,
    WebSocket,
    clock: systemClock,
    random: () => 0.5,
    heartbeatMs: 60_000,
    openTimeoutMs: 2000,
    requestTimeoutMs: 2000,
    backoff: { baseMs: 20, capMs: 100 },
    maxPending: 8,
    ...changes,
  };
}
