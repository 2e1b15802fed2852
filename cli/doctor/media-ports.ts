import { networkInterfaces } from 'node:os';
import { listenAddresses, type PortState, probePort } from '../../media-server/index.ts';
import { otherMediaPort } from '../media-ports.ts';
import { describeHolder, findHolder, type Holder } from '../port-holder.ts';
import { rtcAddresses } from '../role-settings.ts';
import { type Context, defineCheck } from './check.ts';
import { info, type Judgement, ok, warning, wrong } from './finding.ts';
import { belongsTo } from './running-server.ts';

export interface MediaPort {
  readonly ip: string;
  readonly port: number;
  /** Of UDP and TCP together. */
  readonly state: PortState;
  readonly holder?: Holder;
  /** Held by a worker of the Millrace that these settings are for. */
  readonly ours: boolean;
}

export interface MediaPortFacts {
  readonly rtcPort: number;
  readonly workers: number;
  /** Every worker's port at every address; empty where the system chooses the ports. */
  readonly ports: readonly MediaPort[];
  /** This machine's, for the advice. */
  readonly ownAddresses: readonly string[];
}

export const mediaPorts = defineCheck('media-ports', probe, judgeMediaPorts);

export function judgeMediaPorts(facts: MediaPortFacts): readonly Judgement[] {
  const { rtcPort, workers, ports, ownAddresses } = facts;
  if (rtcPort === 0) return [info('MILLRACE_RTC_PORT=0: the system chooses the ports at each start')];
  const addresses = [...new Set(ports.map(({ ip }) => ip))];
  const taken = ports.filter(({ state, ours }) => state === 'busy' && !ours);
  const judged: Judgement[] = takenPorts(taken).map(({ port, at, holder }) =>
    wrong(
      `UDP or TCP port ${port} at ${at.join(', ')} is taken by ${holder ? describeHolder(holder) : 'a program that cannot be seen from here'}`,
      `Stop that, or choose ${workers === 1 ? 'another port' : `the first of ${workers} other ports`}: MILLRACE_RTC_PORT=${otherMediaPort(rtcPort, workers)}`,
    ),
  );
  const absent = addresses.filter((ip) =>
    ports.every((port) => port.ip !== ip || port.state === 'unavailable'),
  );
  if (absent.length > 0 || addresses.length === 0) {
    const seen = `media cannot be listened for at ${absent.join(', ') || 'any address'}`;
    const low = rtcPort < 1024 ? '; ports below 1024 are for root: MILLRACE_RTC_PORT=20000' : '';
    const fix = `Name addresses of this machine in MILLRACE_RTC_LISTEN: ${ownAddresses.join(',') || 'it has none'}${low}`;
    judged.push(
      absent.length === addresses.length ? wrong(seen, fix) : warning(`${seen}; it is left out`, fix),
    );
  }
  if (judged.length > 0) return judged;
  const held = ports.some(({ state }) => state === 'busy');
  const range = workers === 1 ? `port ${rtcPort}` : `ports ${rtcPort} to ${rtcPort + workers - 1}`;
  return [
    ok(`UDP and TCP ${range} at ${addresses.join(', ')} ${held ? 'held by the running Millrace' : 'free'}`),
  ];
}

function takenPorts(
  taken: readonly MediaPort[],
): { port: number; at: string[]; holder: Holder | undefined }[] {
  const byPort = Map.groupBy(taken, ({ port }) => port);
  return [...byPort].map(([port, each]) => ({
    port,
    at: each.map(({ ip }) => ip),
    holder: each.find(({ holder }) => holder !== undefined)?.holder,
  }));
}

async function probe({ settings, server }: Context): Promise<MediaPortFacts> {
  const { rtcPort, workers } = settings;
  const interfaces = networkInterfaces();
  const ports: MediaPort[] = [];
  for (let port = rtcPort; rtcPort !== 0 && port < rtcPort + workers; port++) {
    for (const { ip } of listenAddresses(rtcAddresses(settings), interfaces)) {
      const state = await probePort(ip, port);
      const holder = state === 'busy' ? (findHolder(port) ?? findHolder(port, 'udp')) : undefined;
      ports.push({ ip, port, state, ...(holder ? { holder } : {}), ours: belongsTo(server, holder) });
    }
  }
  return { rtcPort, workers, ports, ownAddresses: listenAddresses([], interfaces).map(({ ip }) => ip) };
}
