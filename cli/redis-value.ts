import type { RedisAddress } from '../adapters/registry/redis/target.ts';
import { file, hostPort, integer, type Parsed, type ValueType } from './value.ts';

/** Where Redis is, without what lets this process in. */
export type RedisLocation = (
  | { readonly kind: 'single'; readonly address: RedisAddress; readonly db: number }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly RedisAddress[];
      readonly group: string;
      readonly db: number;
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly RedisAddress[] }
) & {
  readonly tls: boolean;
  /** Certificates to trust instead of the system's, a PEM file. */
  readonly caFile?: string;
};

const FORMS =
  'write it like redis://HOST:6379, redis+sentinel://HOST:26379,HOST:26379/GROUP or redis+cluster://HOST:6379,HOST:6379; rediss instead of redis speaks TLS';
const NO_CREDENTIALS =
  'credentials do not belong here, where they would be shown; set MILLRACE_REDIS_USERNAME and MILLRACE_REDIS_PASSWORD';
const DEFAULT_PORTS = { single: 6379, sentinel: 26_379, cluster: 6379 } as const;
const ADDRESS =
  /^(?<scheme>rediss?)(?:\+(?<kind>sentinel|cluster))?:\/\/(?<hosts>[^/?#]+)(?<path>[^?#]*)(?:\?ca=(?<ca>[^&#]+))?$/i;
const database = integer({ min: 0, max: 1_000_000 });

export const redisLocation: ValueType<RedisLocation> = {
  syntax: 'redis://HOST:PORT',
  parse(text) {
    const { scheme = '', kind, hosts = '', path = '', ca } = ADDRESS.exec(text)?.groups ?? {};
    if (text.includes('@')) return { wrong: NO_CREDENTIALS };
    if (hosts === '') return { wrong: FORMS };
    const tls = scheme.toLowerCase() === 'rediss';
    const form = kind === undefined ? 'single' : kind.toLowerCase() === 'sentinel' ? 'sentinel' : 'cluster';
    const addresses = parseHosts(hosts, DEFAULT_PORTS[form]);
    if ('wrong' in addresses) return addresses;
    const caFile = ca === undefined ? undefined : file('read').parse(ca);
    if (caFile !== undefined && 'wrong' in caFile) return { wrong: `ca=${ca}: ${caFile.wrong}` };
    if (caFile !== undefined && !tls) return { wrong: `ca=${ca} is for TLS: write rediss instead of redis` };
    const place = parsePlace(form, addresses.value, path.replace(/^\/|\/$/g, ''));
    if ('wrong' in place) return place;
    return { value: { ...place.value, tls, ...(caFile && { caFile: caFile.value }) } };
  },
};

type Place = RedisLocation extends infer L ? (L extends unknown ? Omit<L, 'tls' | 'caFile'> : never) : never;

function parsePlace(
  form: 'single' | 'sentinel' | 'cluster',
  addresses: readonly RedisAddress[],
  path: string,
): Parsed<Place> {
  const [first] = addresses;
  if (form === 'cluster') {
    return path === ''
      ? { value: { kind: 'cluster', nodes: addresses } }
      : { wrong: 'Redis Cluster has one database only: nothing may stand behind the hosts' };
  }
  const parts = path === '' ? [] : path.split('/');
  const group = form === 'sentinel' ? parts.shift() : undefined;
  if (form === 'sentinel' && group === undefined) {
    return { wrong: 'which group do the Sentinels watch? redis+sentinel://HOST:26379/GROUP' };
  }
  const db = database.parse(parts[0] ?? '0');
  if ('wrong' in db || parts.length > 1) return { wrong: `"${parts.join('/')}" is no number of a database` };
  if (group !== undefined) return { value: { kind: 'sentinel', sentinels: addresses, group, db: db.value } };
  if (first === undefined || addresses.length > 1) {
    return { wrong: 'several hosts are for redis+sentinel:// or redis+cluster://' };
  }
  return { value: { kind: 'single', address: first, db: db.value } };
}

function parseHosts(text: string, defaultPort: number): Parsed<readonly RedisAddress[]> {
  const addresses: RedisAddress[] = [];
  for (const part of text.split(',')) {
    const parsed = hostPort.parse(/:\d+$/.test(part) ? part : `${part}:${defaultPort}`);
    if ('wrong' in parsed) return { wrong: `${part}: ${FORMS}` };
    if (parsed.value.port === 0) return { wrong: `${part}: 0 is no port of a server` };
    addresses.push(parsed.value);
  }
  return { value: addresses };
}
