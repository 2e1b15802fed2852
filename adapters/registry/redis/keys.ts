/**
 * What is kept together: all keys of one slot are on one node of a Redis Cluster, so that a script may change
 * them at once. Names as the scripts know them, each with the end of its key. README.md tells what they hold.
 */
const SLOTS = {
  streams: {
    ALIVE: 'alive',
    SERVER: 'server',
    STAMP: 'stamp',
    NODES: 'nodes',
    LEASES: 'leases',
    GONE: 'gone',
    EVIDENCE: 'evidence',
    STREAMS: 'streams',
    NAMES: 'names',
    HELD: 'held',
    RELEASED: 'released',
    RELEASES: 'releases',
    /** Not a key but the beginning of channels' names, which belong to a slot as keys do. */
    CHANGES: 'changes:',
  },
  sessions: {
    ALIVE: 'alive',
    SERVER: 'server',
    STAMP: 'stamp',
    SESSIONS: 'sessions',
    IDS: 'ids',
    ENDS: 'ends',
  },
  recordings: {
    ALIVE: 'alive',
    SERVER: 'server',
    STAMP: 'stamp',
    RECORDINGS: 'recordings',
    TAKEN: 'taken',
    PLACES: 'places',
    STREAM_PLACES: 'stream-places',
    ENDED: 'ended',
    SWEEPER: 'sweeper',
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>>>>;

export type Slot = keyof typeof SLOTS;

export const SLOT_NAMES = Object.keys(SLOTS) as readonly Slot[];

/** The names of a slot's keys, in the order in which every script of the slot gets them. */
export function keyNames(slot: Slot): readonly string[] {
  return Object.keys(SLOTS[slot]);
}

export function keysOf(slot: Slot, prefix: string): readonly string[] {
  return Object.values(SLOTS[slot]).map((end) => tagged(slot, prefix, end));
}

/** Channel on which the changes of a stream are told. */
export function changesChannel(prefix: string, stream: string): string {
  return tagged('streams', prefix, SLOTS.streams.CHANGES) + stream;
}

/** What stands in braces decides the slot (Redis Cluster specification, "Hash tags"). */
export function hashTag(slot: Slot, prefix: string): string {
  return `${prefix}:${slot}`;
}

function tagged(slot: Slot, prefix: string, end: string): string {
  return `{${hashTag(slot, prefix)}}:${end}`;
}
