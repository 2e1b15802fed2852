import type { Track } from '../../../core/channel/media.ts';
import type { StreamName } from '../../../core/protocol/stream-name.ts';
import type { NodeId, StreamRecord } from '../../../core/registry/record.ts';

/**
 * A stream as the scripts keep it, in lines: epoch, node, since in ms, session and subject, tracks. What scripts
 * look at is not JSON: they would read numbers of JSON with 14 digits only.
 */
export function readStream(name: StreamName, value: string): StreamRecord {
  const [epoch, node = '', sinceMs, claim = '', tracks = ''] = value.split('\n');
  const { session, subject } = JSON.parse(claim) as Pick<StreamRecord, 'session' | 'subject'>;
  return {
    name,
    node: JSON.parse(node) as NodeId,
    epoch: Number(epoch),
    session,
    subject,
    tracks: JSON.parse(tracks) as readonly Track[],
    sinceMs: Number(sinceMs),
  };
}

/** The line that is the same from claim to release. */
export function writeClaim({ session, subject }: Pick<StreamRecord, 'session' | 'subject'>): string {
  return JSON.stringify({ session, subject });
}

/** A node as the scripts name it. */
export function writeNode(id: NodeId): string {
  return JSON.stringify(id);
}
