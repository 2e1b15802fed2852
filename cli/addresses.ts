import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { listenAddresses, probePort } from '../media-server/index.ts';
import { describeHolder, findHolder, type Holder } from './port-holder.ts';
import { rtcAddresses } from './role-settings.ts';
import { settingNames } from './setting.ts';
import type { Settings } from './settings.ts';
import { StartError } from './start-error.ts';
import type { HostPort } from './value.ts';

const UNSEEN = 'another program that this user cannot see';

/**
 * Tries every address and media port before anything starts, so that all that cannot be had are named at once.
 * @throws StartError with the holder of each busy port and the setting that moves it
 */
export async function checkAddresses(settings: Settings): Promise<void> {
  const problems = [...(await listenProblems(settings)), ...(await mediaPortProblems(settings))];
  const lines = problems.flatMap(({ seen, fix }) => [`  ${seen}`, `      ${fix}`]);
  if (lines.length > 0) throw new StartError('Millrace cannot start.', '', ...lines);
}

interface Problem {
  readonly seen: string;
  readonly fix: string;
}

async function listenProblems(settings: Settings): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const key of ['listen', 'localListen', 'metricsListen', 'channelListen'] as const) {
    const address = settings[key];
    if (address === undefined) continue;
    const code = await tryListening(address);
    if (code === undefined) continue;
    const holder = code === 'EADDRINUSE' ? findHolder(address.port) : undefined;
    problems.push(addressProblem(settingNames(key).env, address, code, holder));
  }
  return problems;
}

/** Only of ports that are taken: which addresses are left out is the media server's to say. */
async function mediaPortProblems(settings: Settings): Promise<Problem[]> {
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

/** `[::1]:8443` */
export function formatAddress({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** @param code the system's, of what keeps the address from being listened at */
export function addressProblem(
  setting: string,
  address: HostPort,
  code: string,
  holder: Holder | undefined,
): Problem {
  const where = formatAddress(address);
  const free = formatAddress({ host: address.host, port: address.port < 65_535 ? address.port + 1 : 0 });
  switch (code) {
    case 'EADDRINUSE': {
      const taken = holder ? describeHolder(holder) : UNSEEN;
      return {
        seen: `${where} is taken by ${taken}.`,
        fix: `Stop that, or choose another port: ${setting}=${free}`,
      };
    }
    case 'EACCES':
      return {
        seen: `${where} needs more rights: ports below 1024 are for root.`,
        fix: `Choose one above: ${setting}`,
      };
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return {
        seen: `${address.host} is not an address of this machine.`,
        fix: `Choose one that is: ${setting}`,
      };
    default:
      return { seen: `${where} cannot be listened at: ${code}.`, fix: `Choose another: ${setting}` };
  }
}

/** @returns the system's error code; undefined when the address can be had */
export function tryListening({ host, port }: HostPort): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}
