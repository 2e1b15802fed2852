import type { NetworkInterfaceInfo } from 'node:os';
import { isLoopback } from '../loopback.ts';

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

const ALWAYS = ['localhost', '127.0.0.1', '::1'];
/** RFC 1035 section 2.3.4; whatever else a machine calls itself has no place in a certificate. */
const DNS_NAME =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

/** Every name under which a browser may come to this machine. */
export function machineNames(hostName: string, interfaces: Interfaces): readonly string[] {
  const addresses = Object.values(interfaces)
    .flatMap((infos) => infos ?? [])
    .map(({ address }) => address)
    // A link-local address carries its interface's name, which a certificate cannot.
    .filter((address) => !/^(fe[89ab]|169\.254\.)/i.test(address));
  return [...new Set([...ALWAYS, ...(DNS_NAME.test(hostName) ? [hostName] : []), ...addresses])];
}

/**
 * The names that a kept certificate must have to be kept on. A laptop's addresses change all the time; as long
 * as only the machine itself is served they do not matter, and browsers need not be asked to trust anew.
 */
export function servedNames(listenHost: string, all: readonly string[]): readonly string[] {
  return isLoopback(listenHost) ? ALWAYS : all;
}
