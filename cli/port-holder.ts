import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const LISTENING = '0A';

/**
 * Who listens on a TCP port of this machine, such as `nginx (process 812)`. Best effort: a process of another
 * user shows its sockets to root only, and one in another network namespace to nobody.
 */
export function portHolder(port: number, proc = '/proc'): string | undefined {
  const inodes = ['tcp', 'tcp6'].flatMap((table) => listeningInodes(read(`${proc}/net/${table}`), port));
  if (inodes.length === 0) return undefined;
  const links = new Set(inodes.map((inode) => `socket:[${inode}]`));
  for (const pid of entries(proc).filter((name) => /^\d+$/.test(name))) {
    const holds = entries(`${proc}/${pid}/fd`).some((fd) => links.has(link(`${proc}/${pid}/fd/${fd}`)));
    if (holds) return `${commandName(proc, pid)} (process ${pid})`;
  }
  return undefined;
}

/** @param table text of /proc/net/tcp: the local address is the second field, the state the fourth, the inode the tenth */
function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && fields[3] === LISTENING)
    .flatMap((fields) => fields[9] ?? []);
}

/** The first words of the command line; the kernel's short name where that is empty. */
function commandName(proc: string, pid: string): string {
  const words = read(`${proc}/${pid}/cmdline`).split('\0').filter(Boolean).slice(0, 3).join(' ');
  return words.slice(0, 100) || read(`${proc}/${pid}/comm`).trim();
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
