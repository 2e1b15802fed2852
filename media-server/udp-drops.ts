import { readFile } from 'node:fs/promises';

const TABLES = ['/proc/net/udp', '/proc/net/udp6'];

/**
 * Packets that the kernel dropped because a socket's receive buffer was full, by local port, of the sockets
 * that exist now (proc_net_udp: the last column).
 *
 * @returns nothing where the system has no such table
 */
export async function udpDrops(ports: ReadonlySet<number>): Promise<ReadonlyMap<number, number>> {
  const drops = new Map<number, number>();
  for (const table of TABLES) {
    const text = await readFile(table, 'utf8').catch(() => '');
    for (const [port, count] of parseUdpTable(text)) {
      if (ports.has(port)) drops.set(port, (drops.get(port) ?? 0) + count);
    }
  }
  return drops;
}

/** Local port and drops of each socket of a table such as /proc/net/udp. */
export function parseUdpTable(text: string): readonly (readonly [port: number, drops: number])[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const columns = line.trim().split(/\s+/);
      const port = Number.parseInt(columns[1]?.split(':').at(-1) ?? '', 16);
      const drops = Number(columns.at(-1));
      return Number.isInteger(port) && Number.isInteger(drops) ? [[port, drops] as const] : [];
    });
}
