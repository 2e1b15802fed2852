import { networkInterfaces } from 'node:os';
import { listenAddresses, probePort } from '../media-server/index.ts';
import { type Problem, UNSEEN } from './addresses.ts';
import { describeHolder, findHolder } from './port-holder.ts';
import { rtcAddresses } from './role-settings.ts';
import type { Settings } from './settings.ts';

/** Only of ports that are taken: which addresses are left out is the media server's to say. */
export async function mediaPortProblems(settings: Settings): Promise<readonly Problem[]> {
  const { rtcPort, workers } = settings;
  if (rtcPort === 0) return [];
  const ips = listenAddresses(rtcAddresses(settings), networkInterfaces()).map(({ ip }) => ip);
  const taken: string[] = [];
  for (let port = rtcPort; port < rtcPort + workers; port++) {
    const states = await Promise.all(ips.map((ip) => probePort(ip, port)));
    if (!states.includes('busy')) continue;
    const holder = findHolder(port) ?? findHolder(port, 'udp');
    taken.push(`Media port ${port} is taken by ${holder ? describeHolder(holder) : UNSEEN}`);
  }
  const [first, ...others] = taken;
  if (first === undefined) return [];
  // One is enough to find the program: there may be as many as cores.
  const more = others.length === 0 ? '' : `, and ${others.length} of those behind it too`;
  const other = workers === 1 ? 'another port' : `the first of ${workers} other ports`;
  return [
    {
      seen: `${first}${more}.`,
      fix: `Stop that, or choose ${other}: MILLRACE_RTC_PORT=${otherMediaPort(rtcPort, workers)}`,
    },
  ];
}

/** Behind the range that is in the way, below the ports for outgoing connections where there is room. */
export function otherMediaPort(rtcPort: number, workers: number): number {
  const behind = rtcPort + Math.max(workers, 100);
  return behind + workers <= 32_768 ? behind : 20_000;
}
