export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is. */
export type RedisTarget = (
  | { readonly kind: 'single'; readonly address: RedisAddress; readonly db: number }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly RedisAddress[];
      /** What the Sentinels call the master and its replicas. */
      readonly group: string;
      readonly db: number;
      /** Of the Sentinels themselves; asked for at each connection. */
      readonly sentinelPassword?: () => string | undefined;
    }
  /** Some of its nodes; the others are learned from them. */
  | { readonly kind: 'cluster'; readonly nodes: readonly RedisAddress[] }
) & {
  readonly username?: string;
  /** Asked for at each connection, so that a changed one is taken. It does not throw. */
  readonly password?: () => string | undefined;
  /** Absent = plain TCP. `ca`: certificates to trust instead of the system's, as PEM. */
  readonly tls?: { readonly ca?: string };
};

/** For people; without secrets. */
export function targetText(target: RedisTarget): string {
  const list = (addresses: readonly RedisAddress[]) => addresses.map(addressText).join(', ');
  switch (target.kind) {
    case 'single':
      return addressText(target.address);
    case 'sentinel':
      return `"${target.group}" of the Sentinels ${list(target.sentinels)}`;
    case 'cluster':
      return `the cluster of ${list(target.nodes)}`;
  }
}

function addressText({ host, port }: RedisAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
