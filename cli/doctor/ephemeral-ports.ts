import { readFileSync } from 'node:fs';
import { type Context, defineCheck } from './check.ts';
import { info, type Judgement, ok, warning } from './finding.ts';

export interface EphemeralFacts {
  /** First and last media port; absent where the system chooses them. */
  readonly media?: readonly [number, number];
  /** First and last port of outgoing connections; absent where the kernel does not say. */
  readonly outgoing?: readonly [number, number];
  /** Ports of that range which the kernel leaves alone, as ranges. */
  readonly reserved: readonly (readonly [number, number])[];
}

export const ephemeralPorts = defineCheck('outgoing-ports', probe, judgeEphemeral);

export function judgeEphemeral({ media, outgoing, reserved }: EphemeralFacts): Judgement {
  if (media === undefined) return info('the media ports are the system’s choice: nothing to compare');
  if (outgoing === undefined) return info('the kernel does not say which ports outgoing connections take');
  const [first, last] = media;
  const range = `${outgoing[0]} to ${outgoing[1]}`;
  const within: number[] = [];
  for (let port = first; port <= last; port++) {
    if (isIn(port, outgoing) && !reserved.some((each) => isIn(port, each))) within.push(port);
  }
  const [start] = within;
  if (start === undefined) return ok(`no media port is one that outgoing connections take (${range})`);
  const end = within.at(-1) ?? start;
  const span = end === start ? `${start}` : `${start}-${end}`;
  return warning(
    `media port ${span} is among those that outgoing connections take (${range}): one may hold it when the server or a worker starts`,
    `MILLRACE_RTC_PORT=20000, or reserve it: sysctl -w net.ipv4.ip_local_reserved_ports=${[...reserved.map(written), span].join(',')}`,
  );
}

function isIn(port: number, [first, last]: readonly [number, number]): boolean {
  return first <= port && port <= last;
}

function written([first, last]: readonly [number, number]): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

function probe({ settings: { rtcPort, workers } }: Context): EphemeralFacts {
  const range = read('ip_local_port_range')?.trim().split(/\s+/).map(Number);
  const [low, high] = range ?? [];
  return {
    ...(rtcPort === 0 ? {} : { media: [rtcPort, rtcPort + workers - 1] }),
    ...(low === undefined || high === undefined ? {} : { outgoing: [low, high] }),
    reserved: parseRanges(read('ip_local_reserved_ports') ?? ''),
  };
}

/** @param text such as `8080,9000-9010` */
export function parseRanges(text: string): readonly (readonly [number, number])[] {
  return [...text.matchAll(/(\d+)(?:-(\d+))?/g)].map(([, first, last]) => [
    Number(first),
    Number(last ?? first),
  ]);
}

function read(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/net/ipv4/${name}`, 'utf8');
  } catch {
    return undefined; // Not Linux, or hidden by a container.
  }
}
