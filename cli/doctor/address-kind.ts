import { BlockList, isIP } from 'node:net';

export type AddressKind = 'name' | 'unspecified' | 'loopback' | 'link-local' | 'private' | 'public';

/** RFC 1122, 3927, 1918, 6598 (shared by a provider's customers); RFC 4291, 4193. */
const KINDS: readonly (readonly [AddressKind, readonly (readonly [string, number])[]])[] = [
  [
    'unspecified',
    [
      ['0.0.0.0', 8],
      ['::', 128],
    ],
  ],
  [
    'loopback',
    [
      ['127.0.0.0', 8],
      ['::1', 128],
    ],
  ],
  [
    'link-local',
    [
      ['169.254.0.0', 16],
      ['fe80::', 10],
    ],
  ],
  [
    'private',
    [
      ['10.0.0.0', 8],
      ['172.16.0.0', 12],
      ['192.168.0.0', 16],
      ['100.64.0.0', 10],
      ['fc00::', 7],
    ],
  ],
];

const LISTS = KINDS.map(([kind, networks]) => {
  const list = new BlockList();
  for (const [network, prefix] of networks) list.addSubnet(network, prefix, family(network));
  return [kind, list] as const;
});

/** Who can reach an address. */
export function addressKind(address: string): AddressKind {
  if (isIP(address) === 0) return 'name';
  return LISTS.find(([, list]) => list.check(address, family(address)))?.[0] ?? 'public';
}

function family(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}
