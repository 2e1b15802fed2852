import { createServer } from 'node:net';
import { describeHolder, findHolder, type Holder } from './port-holder.ts';
import { settingNames } from './setting.ts';
import type { Settings } from './settings.ts';
import { StartError } from './start-error.ts';
import type { HostPort } from './value.ts';

/** Which of the settings are addresses that a process listens at. */
export type ListenKey = 'listen' | 'localListen' | 'metricsListen' | 'channelListen';

export const UNSEEN = 'another program that this user cannot see';

/**
 * Tries every address before anything starts, so that all that cannot be had are named at once.
 * @throws StartError with the holder of each busy port and the setting that moves it
 */
export async function checkAddresses(
  settings: Settings,
  keys: readonly ListenKey[],
  others: readonly Problem[] = [],
): Promise<void> {
  const problems = [...(await listenProblems(settings, keys)), ...others];
  const lines = problems.flatMap(({ seen, fix }) => [`  ${seen}`, `      ${fix}`]);
  if (lines.length > 0) throw new StartError('Millrace cannot start.', '', ...lines);
}

export interface Problem {
  readonly seen: string;
  readonly fix: string;
}

async function listenProblems(settings: Settings, keys: readonly ListenKey[]): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const key of keys) {
    const address = settings[key];
    if (address === undefined) continue;
    const code = await tryListening(address);
    if (code === undefined) continue;
    const holder = code === 'EADDRINUSE' ? findHolder(address.port) : undefined;
    problems.push(addressProblem(settingNames(key).env, address, code, holder));
  }
  return problems;
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
