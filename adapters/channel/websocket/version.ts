/**
 * Versions of the channel's protocol that this program speaks, the best first. A program speaks its own and
 * the one before, so that in a rolling update each end finds one that both speak. Within a version, calls,
 * notices and fields may be added: whoever does not know them says `unknown_method`, or ignores them.
 */
export const VERSIONS: readonly number[] = [1];

const PREFIX = 'millrace-channel.v';

/** As WebSocket subprotocols (RFC 6455 section 1.9). */
export function subprotocols(versions: readonly number[]): string[] {
  return versions.map((version) => `${PREFIX}${version}`);
}

/** The best of `spoken` that is offered too; undefined when there is none. */
export function commonSubprotocol(
  offered: ReadonlySet<string>,
  spoken: readonly number[],
): string | undefined {
  return subprotocols(spoken).find((name) => offered.has(name));
}

/** The subprotocols that a handshake's header offers (RFC 6455 section 11.3.4). */
export function offeredSubprotocols(header: string | undefined): ReadonlySet<string> {
  return new Set((header ?? '').split(',').map((name) => name.trim()));
}
