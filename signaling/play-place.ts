import type { StreamOrigin } from '../core/channel/media.ts';
import { choosePlayNode, staysAtOrigin } from '../core/placement/play.ts';
import type { NodeEntry, NodeId, StreamRecord } from '../core/registry/record.ts';
import type { RequestContext, Services } from './request-context.ts';

/** Where a play goes. */
export interface PlayPlace {
  readonly node: NodeId;
  /** Where that media server pulls the stream from; absent where it is published there. */
  readonly origin?: StreamOrigin;
}

/**
 * Chooses the media server for a viewer. Without the registry, and where nobody else can take it, that is the
 * stream's own.
 *
 * @param refused those that could not take it just now
 */
export async function placePlay(
  services: Services,
  { session }: RequestContext,
  { name: stream, node: origin, epoch }: StreamRecord,
  refused: ReadonlySet<NodeId>,
): Promise<PlayPlace> {
  const all = await services.registry.nodes().catch((): readonly NodeEntry[] => []);
  const nodes = services.forecast.of(
    all.filter(({ id }) => services.links.reaches(id) && !refused.has(id)),
    services.now(),
  );
  const current = session.hold(stream)?.play?.node;
  const own = nodes.find(({ id }) => id === origin);
  const address = all.find(({ id }) => id === origin)?.address;
  if (address === undefined) return { node: origin };
  if (staysAtOrigin(own) && (current === undefined || current === origin)) return { node: origin };
  const facts = { nodes, origin, current, pulling: await services.edges.of(stream, origin) };
  const node = choosePlayNode(facts, services.random)?.id ?? origin;
  return node === origin ? { node } : { node, origin: { node: origin, address, epoch } };
}
