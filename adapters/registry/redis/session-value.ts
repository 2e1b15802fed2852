import type { SessionRecord } from '../../../core/registry/record.ts';

/** A session as the scripts keep it, in lines: epoch, signaling, the rest; see `scripts/sessions.lua`. */
export function readSession(value: string): SessionRecord {
  const [epoch, signaling = '', rest = ''] = value.split('\n');
  return {
    ...(JSON.parse(rest) as Omit<SessionRecord, 'epoch' | 'signaling'>),
    epoch: Number(epoch),
    signaling: JSON.parse(signaling) as string,
  };
}

/** Its lines. */
export function writeSession({ epoch, signaling, ...rest }: SessionRecord): [number, string, string] {
  return [epoch, JSON.stringify(signaling), JSON.stringify(rest)];
}
