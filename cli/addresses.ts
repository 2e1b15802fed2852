import { createServer } from 'node:net';
import { portHolder } from './port-holder.ts';
import { settingNames } from './setting.ts';
import type { Settings } from './settings.ts';
import { StartError } from './start-error.ts';
import type { HostPort } from './value.ts';

type Listening = Pick<Settings, 'listen' | 'localListen' | 'metricsListen'>;

/**
 * Tries every address before anything starts, so that all that cannot be had are named at once.
 * @throws StartError with the holder of each busy port and the setting that moves it
 */
export async function checkAddresses(settings: Listening): Promise<void> {
  const problems: string[] = [];
  for (const key of ['listen', 'localListen', 'metricsListen'] as const) {
    const address = settings[key];
    if (address === undefined) continue;
    const code = await tryListening(address);
    if (code !== undefined) problems.push(...describe(settingNames(key).env, address, code));
  }
  if (problems.length > 0) throw new StartError('Millrace cannot start.', '', ...problems);
}

/** `[::1]:8443` */
export function formatAddress({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function describe(setting: string, address: HostPort, code: string): string[] {
  const where = formatAddress(address);
  const free = formatAddress({ host: address.host, port: address.port < 65_535 ? address.port + 1 : 0 });
  switch (code) {
    case 'EADDRINUSE': {
      const holder = portHolder(address.port) ?? 'another program that this user cannot see';
      return [
        `  ${where} is taken by ${holder}.`,
        `      Stop that, or choose another port: ${setting}=${free}`,
      ];
    }
    case 'EACCES':
      return [
        `  ${where} needs more rights: ports below 1024 are for root.`,
        `      Choose one above: ${setting}`,
      ];
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return [`  ${address.host} is not an address of this machine.`, `      Choose one that is: ${setting}`];
    default:
      return [`  ${where} cannot be listened at: ${code}.`, `      Choose another: ${setting}`];
  }
}

/** @returns the system's error code; undefined when the address can be had */
function tryListening({ host, port }: HostPort): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}
