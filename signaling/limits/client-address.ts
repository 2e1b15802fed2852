import { BlockList, isIP } from 'node:net';

/** A range of addresses (RFC 4632 section 3.1, RFC 4291 section 2.3): `10.0.0.0` with a prefix of 8 bits. */
export interface AddressRange {
  readonly address: string;
  readonly prefix: number;
}

/** Whose word about a client's address counts. */
export class TrustedProxies {
  readonly #ranges = new BlockList();

  constructor(ranges: readonly AddressRange[]) {
    for (const { address, prefix } of ranges) {
      this.#ranges.addSubnet(address, prefix, isIP(address) === 6 ? 'ipv6' : 'ipv4');
    }
  }

  trusts(address: string): boolean {
    return this.#ranges.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }

  /**
   * The address that a request comes from: the last one in `X-Forwarded-For` that no trusted proxy has, as
   * what stands before that is the client's own claim. The connection's address where its peer is not trusted.
   *
   * @param peer of the connection, as `plainAddress` makes it
   * @param forwardedFor the header; several of them joined by commas
   */
  clientAddress(peer: string, forwardedFor: string | undefined): string {
    let address = peer;
    const hops = forwardedFor?.split(',') ?? [];
    while (this.trusts(address)) {
      const hop = hops.pop();
      const next = hop === undefined ? undefined : hopAddress(hop.trim());
      if (next === undefined) break;
      address = next;
    }
    return address;
  }
}

/** Some proxies write the port too. */
function hopAddress(hop: string): string | undefined {
  const bare = hop.replace(/^\[([^\]]*)\](:\d+)?$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
  const address = plainAddress(bare);
  return isIP(address) === 0 ? undefined : address;
}

/** An IPv4 address that came over an IPv6 socket (RFC 4291 section 2.5.5.2) as itself, and no zone. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}

export function isLoopback(address: string): boolean {
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

/** What one client has: an IPv4 address, or the 64 bits of an IPv6 network (RFC 6177 section 2). */
export function addressKey(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const before = groups(head);
  const after = groups(tail ?? '');
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const all = [...before, ...Array<string>(zeros).fill('0'), ...after];
  return `${all.slice(0, 4).map(withoutZeros).join(':')}::/64`;
}

/** An IPv4 address at the end stands for two of them. */
function groups(text: string): string[] {
  return text === '' ? [] : text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : group));
}

function withoutZeros(group: string): string {
  return group.replace(/^0+(?=.)/, '');
}
