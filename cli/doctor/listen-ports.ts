import { addressProblem, formatAddress, tryListening } from '../addresses.ts';
import { describeHolder, findHolder, type Holder } from '../port-holder.ts';
import { settingNames } from '../setting.ts';
import type { HostPort } from '../value.ts';
import { type Context, defineCheck } from './check.ts';
import { type Judgement, ok, wrong } from './finding.ts';
import { belongsTo } from './running-server.ts';

export interface ListenFact {
  /** Name of the setting. */
  readonly setting: string;
  readonly address: HostPort;
  /** The system's error code; absent when the address can be had. */
  readonly code?: string;
  readonly holder?: Holder;
  /** Held by the Millrace that these settings are for. */
  readonly ours: boolean;
}

export const listenPorts = defineCheck('listen-ports', probe, (facts) => facts.map(judgeListen));

export function judgeListen({ setting, address, code, holder, ours }: ListenFact): Judgement {
  const where = `${formatAddress(address)} (${setting})`;
  if (code === undefined) return ok(`${where} ${address.port === 0 ? 'takes any free port' : 'is free'}`);
  if (code === 'EADDRINUSE' && ours) {
    return ok(`${where} is held by the running Millrace${holder ? `, ${describeHolder(holder)}` : ''}`);
  }
  const { seen, fix } = addressProblem(setting, address, code, holder);
  return wrong(seen, fix);
}

async function probe({ settings, server }: Context): Promise<readonly ListenFact[]> {
  const facts: ListenFact[] = [];
  for (const key of ['listen', 'localListen', 'metricsListen', 'channelListen'] as const) {
    const address = settings[key];
    if (address === undefined) continue;
    const code = await tryListening(address);
    const holder = code === 'EADDRINUSE' ? findHolder(address.port) : undefined;
    facts.push({
      setting: settingNames(key).env,
      address,
      ...(code === undefined ? {} : { code }),
      ...(holder === undefined ? {} : { holder }),
      ours: belongsTo(server, holder),
    });
  }
  return facts;
}
