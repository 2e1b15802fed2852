import { readFileSync } from 'node:fs';
import { isLoopback } from '../loopback.ts';
import { type Context, defineCheck } from './check.ts';
import { info, type Judgement, ok, warning } from './finding.ts';

/** Of a route that answers "unreachable" (linux/route.h). */
const RTF_REJECT = 0x0200;

export interface RouteFacts {
  /** Interfaces of the default routes; absent where the kernel does not say. */
  readonly ipv4?: readonly string[];
  readonly ipv6?: readonly string[];
  readonly servesNetwork: boolean;
}

export const defaultRoute = defineCheck('default-route', probe, judgeRoute);

export function judgeRoute({ ipv4, ipv6, servesNetwork }: RouteFacts): Judgement {
  if (ipv4 === undefined && ipv6 === undefined) return info('the kernel does not show its routes');
  const found = [
    ...(ipv4 ?? []).map((device) => `IPv4 by ${device}`),
    ...(ipv6 ?? []).map((device) => `IPv6 by ${device}`),
  ];
  if (found.length > 0) return ok(found.join(', '));
  if (!servesNetwork) return ok('none, and none needed: MILLRACE_LISTEN admits this machine only');
  return warning(
    'none: clients of other networks get no answer',
    'ip route add default via ROUTER dev INTERFACE; nothing if all clients are in this machine’s own network',
  );
}

function probe({ settings }: Context): RouteFacts {
  const ipv4 = read('/proc/net/route');
  const ipv6 = read('/proc/net/ipv6_route');
  return {
    ...(ipv4 === undefined ? {} : { ipv4: defaultDevices4(ipv4) }),
    ...(ipv6 === undefined ? {} : { ipv6: defaultDevices6(ipv6) }),
    servesNetwork: !isLoopback(settings.listen.host),
  };
}

/** @param table text of /proc/net/route: interface, destination, gateway, flags, ..., mask in the eighth place */
export function defaultDevices4(table: string): readonly string[] {
  const rows = table.split('\n').map((line) => line.split('\t'));
  return unique(
    rows
      .filter(([, to, , flags, , , , mask]) => to === '00000000' && mask === '00000000' && leads(flags))
      .map(([device = '']) => device),
  );
}

/** @param table text of /proc/net/ipv6_route: destination, its prefix length, ..., flags in the ninth place, interface */
export function defaultDevices6(table: string): readonly string[] {
  const rows = table.split('\n').map((line) => line.trim().split(/\s+/));
  return unique(
    rows
      .filter(
        ([to, prefix, , , , , , , flags]) => /^0{32}$/.test(to ?? '') && prefix === '00' && leads(flags),
      )
      .map(([, , , , , , , , , device = '']) => device)
      .filter((device) => device !== 'lo'),
  );
}

function leads(flags: string | undefined): boolean {
  return (Number.parseInt(flags ?? '0', 16) & RTF_REJECT) === 0;
}

function unique(devices: readonly string[]): readonly string[] {
  return [...new Set(devices)];
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // Not Linux, or without this family.
  }
}
