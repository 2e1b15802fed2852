import { readdirSync, readFileSync } from 'node:fs';

export type RecorderPart = 'supervisor' | 'receiver' | 'muxer';

const COMMANDS: Readonly<Record<RecorderPart, string>> = {
  supervisor: 'recorder',
  receiver: 'recorder-receiver',
  muxer: 'recorder-muxer',
};

/** Process ids of one part of all recorders below a process, oldest first. */
export function recorderPids(server: number, part: RecorderPart): number[] {
  const parents = new Map(pids().map((pid) => [pid, parentOf(pid)]));
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent !== undefined && (parent === server || isBelow(parent));
  };
  return [...parents.keys()]
    .filter((pid) => isBelow(pid) && argumentsOf(pid).at(-1) === COMMANDS[part])
    .sort((a, b) => a - b);
}

export function isAlive(pid: number): boolean {
  // A zombie waits for its parent only.
  return stateOf(pid) !== undefined && stateOf(pid) !== 'Z';
}

/** Proportional set size in bytes: what is shared counts by its share. */
export function memoryOf(pid: number): number {
  const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function statOf(pid: number): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command, in parentheses, may hold spaces: the fields begin behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined; // It ended meanwhile.
  }
}

function stateOf(pid: number): string | undefined {
  return statOf(pid)?.[0];
}

function parentOf(pid: number): number | undefined {
  const parent = statOf(pid)?.[1];
  return parent === undefined ? undefined : Number(parent);
}

function argumentsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  } catch {
    return []; // It ended meanwhile.
  }
}
