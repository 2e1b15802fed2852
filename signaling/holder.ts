import type { StreamReport } from '../core/channel/media.ts';

/** What is known of the publisher that holds a stream which another one wants. */
export interface HolderFacts {
  /** The holder is the session that asks. */
  readonly ownSession: boolean;
  /** Both have the same token subject, as all have where authorisation is off. */
  readonly sameSubject: boolean;
  /** The holder's client is connected. */
  readonly connected: boolean;
  /** Its publish has succeeded: the registry knows its tracks. */
  readonly described: boolean;
  /** Its media server is in the registry, with a lease that has not run out. */
  readonly nodeUsable: boolean;
  /** What its media server says; absent = not asked. */
  readonly report?: Pick<StreamReport, 'live'> | 'none' | 'unreachable';
}

/** Whether the publisher of a stream may be displaced: it is the asker itself, or there is evidence that it is gone. */
export function holderIsGone(facts: HolderFacts): boolean {
  if (facts.ownSession) return true;
  if (!facts.connected && facts.sameSubject) return true;
  if (facts.report === undefined) return false;
  if (facts.report === 'unreachable') return !facts.nodeUsable;
  // A claim that is seconds old: its media server has yet to hear of it.
  if (facts.report === 'none') return facts.described || !facts.connected;
  return !facts.report.live;
}
