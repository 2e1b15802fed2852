import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { listenAddresses } from '../../media-server/index.ts';
import { isLoopback } from '../loopback.ts';
import { rtcAddresses } from '../role-settings.ts';
import { type AddressKind, addressKind } from './address-kind.ts';
import { type Context, defineCheck } from './check.ts';
import { type Judgement, ok, warning, wrong } from './finding.ts';

export interface Announced {
  /** As clients are told. */
  readonly address: string;
  /** What it leads to, for a name; empty = nowhere. */
  readonly resolved?: readonly string[];
}

export interface AnnouncedFacts {
  readonly announced: readonly Announced[];
  /** `MILLRACE_LISTEN` admits other machines. */
  readonly servesNetwork: boolean;
  /** First and last media port. */
  readonly ports: readonly [number, number];
}

export const announcedAddress = defineCheck('announced-address', probe, judgeAnnounced);

export function judgeAnnounced({ announced, servesNetwork, ports }: AnnouncedFacts): readonly Judgement[] {
  const set = 'MILLRACE_ANNOUNCED_ADDRESS';
  const judged: Judgement[] = [];
  for (const { address, resolved } of announced) {
    const kind = addressKind(address);
    if (kind === 'name' && resolved?.length === 0) {
      judged.push(
        wrong(
          `clients are told ${address}, a name that leads nowhere`,
          `Correct ${set}, or the name’s DNS record`,
        ),
      );
    } else if (kind === 'unspecified' || kind === 'link-local') {
      judged.push(
        wrong(
          `clients are told ${address}, which is ${kind} and cannot be reached`,
          `Set ${set} to the address under which clients reach this machine`,
        ),
      );
    }
  }
  if (judged.length > 0) return judged;
  const told = announced.map(({ address }) => address).join(', ') || 'nothing';
  if (!servesNetwork) return [ok(`clients are told ${told}; MILLRACE_LISTEN admits this machine only`)];
  const kinds = new Set<AddressKind>(
    announced.flatMap(({ address, resolved }) => (resolved ?? [address]).map(addressKind)),
  );
  if (kinds.has('public')) return [ok(`clients are told ${told}`)];
  if (kinds.has('private')) {
    const forward =
      ports[0] === 0
        ? 'the media ports (set MILLRACE_RTC_PORT for that)'
        : `ports ${ports[0]} to ${ports[1]}`;
    return [
      warning(
        `clients are told ${told}: private, so only clients of the same network reach it`,
        `If clients come from elsewhere: ${set}=PUBLIC-ADDRESS, and let the router forward UDP and TCP ${forward}; else nothing`,
      ),
    ];
  }
  return [
    wrong(
      `other machines are admitted by MILLRACE_LISTEN, and are told to send media to ${told}`,
      `Set ${set} to the address under which clients reach this machine, and MILLRACE_RTC_LISTEN to one that is not loopback`,
    ),
  ];
}

async function probe({ settings }: Context): Promise<AnnouncedFacts> {
  const addresses = listenAddresses(rtcAddresses(settings), networkInterfaces());
  const told = [...new Set(addresses.map(({ ip, announcedAddress: other }) => other ?? ip))];
  const { rtcPort, workers, listen } = settings;
  return {
    announced: await Promise.all(
      told.map(async (address) =>
        addressKind(address) === 'name' ? { address, resolved: await resolve(address) } : { address },
      ),
    ),
    servesNetwork: !isLoopback(listen.host),
    ports: [rtcPort, rtcPort === 0 ? 0 : rtcPort + workers - 1],
  };
}

async function resolve(name: string): Promise<readonly string[]> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address);
  } catch {
    return []; // No such name, or nobody to ask: it leads nowhere from here.
  }
}
