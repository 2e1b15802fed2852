import type { StreamReport } from '../core/channel/media.ts';
import { choosePublishNode } from '../core/placement/node.ts';
import { MillraceError, type StreamName } from '../core/protocol/index.ts';
import type { NodeEntry, NodeId, StreamRecord } from '../core/registry/record.ts';
import { holderIsGone } from './holder.ts';
import type { RequestContext, Services } from './request-context.ts';
import { timeLeft } from './request-context.ts';

export interface Claim {
  readonly node: NodeId;
  readonly epoch: number;
  /** The holder that had to make way. */
  readonly displaced?: StreamRecord;
}

const ATTEMPTS = 3;
const EVIDENCE_TIMEOUT_MS = 1000;

/**
 * Makes the session the holder of a stream, on the media server where it is to be published.
 * @throws MillraceError `stream_already_published`, `no_media_server`, `registry_unavailable`
 */
export async function claimStream(
  services: Services,
  context: RequestContext,
  name: StreamName,
): Promise<Claim> {
  const { session } = context;
  let displaced: StreamRecord | undefined;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const nodes = await services.registry.nodes();
    const reached = nodes.filter(({ id }) => services.links.reaches(id));
    const node = choosePlace(services.forecast.of(reached, services.now()), displaced?.node, services.random);
    const result = await services.registry.claimStream({
      name,
      node,
      session: session.id,
      subject: session.subject,
      ...(displaced && { displaces: displaced.epoch }),
    });
    if (result.granted) {
      services.forecast.placed(node, services.now());
      return { node, epoch: result.epoch, ...(displaced && { displaced }) };
    }
    displaced = result.holder;
    if (!(await mayDisplace(services, context, displaced, nodes))) break;
  }
  throw new MillraceError(
    'stream_already_published',
    `"${name}" is published by somebody else; use another name, or wait until they close it`,
  );
}

/** Where the displaced publisher was, so that its viewers need not go elsewhere; else the least loaded one. */
function choosePlace(nodes: readonly NodeEntry[], former: NodeId | undefined, random: () => number): NodeId {
  const same = nodes.find((node) => node.id === former && node.state === 'ready' && !node.suspect);
  const chosen = same ?? choosePublishNode(nodes, random);
  if (chosen !== undefined) return chosen.id;
  throw new MillraceError('no_media_server', 'no media server takes new streams now; try again later');
}

async function mayDisplace(
  services: Services,
  context: RequestContext,
  holder: StreamRecord,
  nodes: readonly NodeEntry[],
): Promise<boolean> {
  const { session } = context;
  const holding =
    services.sessions.get(holder.session)?.record(services.settings.name) ??
    (await services.registry.findSession(holder.session));
  const facts = {
    ownSession: holder.session === session.id,
    sameSubject: holder.subject === session.subject,
    connected: holding?.connected ?? false,
    described: holder.tracks.length > 0,
    nodeUsable: nodes.some((node) => node.id === holder.node && !node.suspect),
  };
  return holderIsGone(facts) || holderIsGone({ ...facts, report: await report(services, context, holder) });
}

/** @returns 'unreachable' when the media server does not answer */
async function report(
  services: Services,
  context: RequestContext,
  holder: StreamRecord,
): Promise<Pick<StreamReport, 'live'> | 'none' | 'unreachable'> {
  try {
    const timeoutMs = Math.min(EVIDENCE_TIMEOUT_MS, timeLeft(services, context));
    const { stream } = await services.links.call(holder.node, 'stream', { stream: holder.name }, timeoutMs);
    return stream ?? 'none';
  } catch {
    return 'unreachable';
  }
}
