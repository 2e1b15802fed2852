import type { NetworkInterfaceInfo } from 'node:os';
import type { RtcAddress } from './settings.ts';

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/**
 * Where the workers listen for media. mediasoup announces them as ICE candidates in this order of
 * preference, so what other machines reach stands first and loopback last.
 *
 * @param configured as in the settings; empty = all of the machine's
 * @param interfaces as `os.networkInterfaces()` returns them
 */
export function listenAddresses(
  configured: readonly RtcAddress[],
  interfaces: Interfaces,
): readonly RtcAddress[] {
  const own = machineAddresses(interfaces);
  const wanted = configured.length > 0 ? configured : [{ ip: '0.0.0.0' }, { ip: '::' }];
  const chosen = new Map<string, RtcAddress>();
  for (const address of wanted) {
    for (const each of expand(address, own)) {
      if (!chosen.has(each.ip)) chosen.set(each.ip, each);
    }
  }
  return [...chosen.values()];
}

/** An unspecified address cannot be announced: it stands for all addresses of its family. */
function expand(address: RtcAddress, own: readonly RtcAddress[]): readonly RtcAddress[] {
  if (address.announcedAddress !== undefined) return [address];
  if (address.ip === '0.0.0.0') return own.filter(({ ip }) => !ip.includes(':'));
  if (address.ip === '::') return own.filter(({ ip }) => ip.includes(':'));
  return [address];
}

function machineAddresses(interfaces: Interfaces): readonly RtcAddress[] {
  return Object.values(interfaces)
    .flatMap((infos) => infos ?? [])
    .filter(({ address }) => !isLinkLocal(address))
    .sort((a, b) => Number(a.internal) - Number(b.internal))
    .map(({ address }) => ({ ip: address }));
}

/** RFC 3927 and RFC 4291 section 2.5.6. They need an interface's name to be reached, which a candidate cannot carry. */
function isLinkLocal(address: string): boolean {
  return address.startsWith('169.254.') || /^fe[89ab]/i.test(address);
}
