export interface BackoffOptions {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * How long to wait before attempt number `attempt` (0 = the first after a failure): exponential with full
 * jitter, so that the clients of a restarted server do not return all at once.
 * @param random 0 <= random < 1
 */
export function backoffMs(attempt: number, random: number, { baseMs, capMs }: BackoffOptions): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(random * ceiling);
}
