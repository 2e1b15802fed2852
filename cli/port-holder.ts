import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const LISTENING = '0A';

/** A process that holds a port. */
export interface Holder {
  readonly pid: number;
  /** 0 where it cannot be seen. */
  readonly parentPid: number;
  /** Its command line; the kernel's short name where that is empty. */
  readonly words: readonly string[];
}

/**
 * Who holds a port of this machine. Best effort: a process of another user shows its sockets to root only, and
 * one in another network namespace to nobody.
 */
export function findHolder(
  port: number,
  protocol: 'tcp' | 'udp' = 'tcp',
  proc = '/proc',
): Holder | undefined {
  const tables = [protocol, `${protocol}6`];
  const inodes = tables.flatMap((table) => boundInodes(read(`${proc}/net/${table}`), port, protocol));
  if (inodes.length === 0) return undefined;
  const links = new Set(inodes.map((inode) => `socket:[${inode}]`));
  for (const pid of entries(proc).filter((name) => /^\d+$/.test(name))) {
    const holds = entries(`${proc}/${pid}/fd`).some((fd) => links.has(link(`${proc}/${pid}/fd/${fd}`)));
    if (holds) return { pid: Number(pid), parentPid: parentPid(proc, pid), words: commandLine(proc, pid) };
  }
  return undefined;
}

/** The first words of the command line and the process id, such as `nginx (process 812)`. */
export function describeHolder({ words, pid }: Holder): string {
  return `${words.slice(0, 3).join(' ').slice(0, 100)} (process ${pid})`;
}

/** @param table text of /proc/net/tcp: the local address is the second field, the state the fourth, the inode the tenth */
function boundInodes(table: string, port: number, protocol: 'tcp' | 'udp'): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && (protocol === 'udp' || fields[3] === LISTENING))
    .flatMap((fields) => fields[9] ?? []);
}

function commandLine(proc: string, pid: string): readonly string[] {
  const words = read(`${proc}/${pid}/cmdline`).split('\0').filter(Boolean);
  return words.length > 0 ? words : [read(`${proc}/${pid}/comm`).trim()];
}

function parentPid(proc: string, pid: string): number {
  return Number(/^PPid:\s*(\d+)$/m.exec(read(`${proc}/${pid}/status`))?.[1] ?? 0);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // The process has ended, or is not ours to see.
  }
}

function entries(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // The process has ended, or is not ours to see.
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // Closed meanwhile.
  }
}
