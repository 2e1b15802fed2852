import { readFileSync } from 'node:fs';

/** Memory of some processes together, bytes. */
export interface Memory {
  /** What `top` adds up: what they share counts once for each. */
  readonly rss: number;
  /** What they share, with each other and with others, counts by its share (proc_pid_smaps(5)). */
  readonly pss: number;
  /** About what they would take if nobody else ran the same programs: of a file that they share as much counts,
   * once, as the one has that has most of it. */
  readonly alone: number;
}

export function memoryOf(pids: readonly number[]): Memory {
  let [rss, pss, own] = [0, 0, 0];
  const shared = new Map<string, number>();
  for (const pid of pids) {
    const sharedHere = new Map<string, number>();
    let file = '';
    for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
      const mapping = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ (\S+ \d+)/.exec(line);
      if (mapping) file = mapping[1] ?? '';
      const field = /^(\w+):\s+(\d+) kB/.exec(line);
      if (!field) continue;
      const bytes = Number(field[2]) * 1024;
      if (field[1] === 'Rss') rss += bytes;
      if (field[1] === 'Pss') pss += bytes;
      if (field[1]?.startsWith('Private_')) own += bytes;
      if (field[1]?.startsWith('Shared_')) sharedHere.set(file, (sharedHere.get(file) ?? 0) + bytes);
    }
    for (const [name, bytes] of sharedHere) shared.set(name, Math.max(shared.get(name) ?? 0, bytes));
  }
  return { rss, pss, alone: own + [...shared.values()].reduce((sum, bytes) => sum + bytes, 0) };
}
