/** Why Redis did not do what it was asked. */
export interface Trouble {
  /**
   * `away`: nobody answers, and the next call would wait in vain too. `refuses`: it answers, and does nothing
   * of what it is asked. `read-only`: it tells what it knows, and takes nothing.
   */
  readonly kind: 'away' | 'refuses' | 'read-only';
  /** For people, to follow "Redis". */
  readonly text: string;
}

export const CUT_OFF: Trouble = { kind: 'away', text: 'cannot be reached: the connection is lost' };
export const SILENT: Trouble = { kind: 'away', text: 'does not answer in time' };

/** Words of Redis' error replies (Redis 7 source, "shared" replies), and what they mean here. */
const REPLIES: readonly (readonly [RegExp, Trouble['kind'], string])[] = [
  [/READONLY/, 'read-only', 'takes no writes: it is a replica'],
  [/OOM/, 'read-only', 'takes no writes: its memory is full (maxmemory)'],
  [/MISCONF/, 'read-only', 'takes no writes: it cannot save them to its disk'],
  [/NOREPLICAS/, 'read-only', 'takes no writes: too few replicas follow it (min-replicas-to-write)'],
  [/NOAUTH/, 'refuses', 'asks for a password, and none is set'],
  [/WRONGPASS|invalid password/, 'refuses', 'refuses the user name or password'],
  [/NOPERM/, 'refuses', 'does not allow this user what the registry needs'],
  [/LOADING/, 'refuses', 'is starting: it loads its data'],
  [/BUSY/, 'refuses', 'is busy with a script'],
  [
    /CLUSTERDOWN|MASTERDOWN|TRYAGAIN/,
    'refuses',
    'has no node now for what was asked: its cluster is not complete',
  ],
  [/unknown command/i, 'refuses', 'is too old: version 7 or newer is needed'],
];

export function troubleOf(error: unknown): Trouble {
  const message = error instanceof Error ? error.message : String(error);
  // Not at the beginning: an error within a script has the script's name before it.
  const known = REPLIES.find(([pattern]) => pattern.test(message));
  if (known) return { kind: known[1], text: known[2] };
  if (error instanceof Error && error.name === 'ReplyError') {
    return { kind: 'refuses', text: `answered with an error: ${message}` };
  }
  // The client's own words for having no connection.
  if (/writeable|Connection is closed|max retries|connection close/i.test(message)) return CUT_OFF;
  return { kind: 'away', text: `cannot be reached: ${message}` };
}
