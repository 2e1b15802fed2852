import type { Role } from '../../core/channel/media.ts';
import { MillraceError, type RequestData, type StreamName } from '../../core/protocol/index.ts';
import type { NodeId } from '../../core/registry/record.ts';
import { type RequestContext, type Services, timeLeft } from '../request-context.ts';
import { notHeld } from './mute.ts';

/** Ends the session's publish, its play, or both; a play that still waits for its stream ends too. */
export async function close(
  services: Services,
  context: RequestContext,
  stream: StreamName,
  data: RequestData<'stream.close'>,
): Promise<Record<string, never>> {
  const { session } = context;
  const waited = data.role !== 'publish' && session.endWaits(stream);
  // The play first: ended by the publish that it plays, it would count as lost.
  const roles: readonly Role[] = data.role === undefined ? ['play', 'publish'] : [data.role];
  const held = roles.flatMap((role) => {
    const node = session.hold(stream)?.[role]?.node;
    return node === undefined ? [] : [{ role, node }];
  });
  if (held.length === 0 && !waited) throw notHeld(stream, data.role);
  const epoch = session.hold(stream)?.publish?.epoch;
  await Promise.all(held.map(({ role, node }) => closeOne(services, context, stream, role, node)));
  for (const { role } of held) session.dropHold(stream, role, role === 'publish' ? epoch : undefined);
  services.log.info(
    { session: session.publicId, stream, roles: held.map(({ role }) => role) },
    'stream closed',
  );
  void services.records.save(session);
  return {};
}

async function closeOne(
  services: Services,
  context: RequestContext,
  stream: StreamName,
  role: Role,
  node: NodeId,
): Promise<void> {
  const request = { stream, session: context.session.id, role };
  try {
    await services.links.call(node, 'close', request, timeLeft(services, context));
  } catch (error) {
    // What its media server has lost, or took along, is closed.
    const gone = error instanceof MillraceError && GONE.has(error.errorName);
    if (!gone) throw error;
  }
}

const GONE: ReadonlySet<string> = new Set(['no_media_server', 'stream_not_found']);
