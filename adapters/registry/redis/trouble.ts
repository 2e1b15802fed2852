/** Why Redis did not do what it was asked. */
export interface Trouble {
  /**
   * `away`: nobody answers, and the next call would wait in vain too. `refuses`: it answers, and says no;
   * another call may fare better.
   */
  readonly kind: 'away' | 'refuses';
  /** For people, to follow "Redis". */
  readonly text: string;
}

export const CUT_OFF: Trouble = { kind: 'away', text: 'cannot be reached: the connection is lost' };
export const SILENT: Trouble = { kind: 'away', text: 'does not answer in time' };

/** Beginnings of Redis' error replies (Redis 7 source, "shared" replies), and what they mean here. */
const REPLIES: readonly (readonly [RegExp, string])[] = [
  [/^-?READONLY/, 'takes no writes: it is a replica'],
  [/^OOM/, 'takes no writes: its memory is full (maxmemory)'],
  [/^MISCONF/, 'takes no writes: it cannot save them to its disk'],
  [/^NOREPLICAS/, 'takes no writes: too few replicas follow it (min-replicas-to-write)'],
  [/NOAUTH/, 'asks for a password, and none is set'],
  [/WRONGPASS|invalid password/, 'refuses the user name or password'],
  [/^NOPERM/, 'does not allow this user what the registry needs'],
  [/LOADING/, 'is starting: it loads its data'],
  [/^BUSY/, 'is busy with a script'],
  [/^CLUSTERDOWN|^MASTERDOWN|^TRYAGAIN/, 'has no node now for what was asked: its cluster is not complete'],
  [/unknown command/i, 'is too old: version 7 or newer is needed'],
];

export function troubleOf(error: unknown): Trouble {
  const message = error instanceof Error ? error.message : String(error);
  // A script's error has its reply behind the place where it happened.
  const reply = message.replace(/^Ready check failed: |^ERR Error running script.*?: /, '');
  const known = REPLIES.find(([pattern]) => pattern.test(reply));
  if (known) return { kind: 'refuses', text: known[1] };
  if (error instanceof Error && error.name === 'ReplyError') {
    return { kind: 'refuses', text: `answered with an error: ${message}` };
  }
  // The client's own words for having no connection.
  if (/writeable|Connection is closed|max retries|connection close/i.test(message)) return CUT_OFF;
  return { kind: 'away', text: `cannot be reached: ${message}` };
}
