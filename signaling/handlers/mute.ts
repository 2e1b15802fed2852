import type { Role } from '../../core/channel/media.ts';
import {
  MillraceError,
  type ReplyData,
  type RequestData,
  type StreamName,
} from '../../core/protocol/index.ts';
import { type RequestContext, type Services, timeLeft } from '../request-context.ts';

/** Mutes what the session publishes for all, else what it plays for itself; answers with the state now. */
export async function mute(
  services: Services,
  context: RequestContext,
  stream: StreamName,
  data: RequestData<'stream.mute'>,
): Promise<ReplyData<'stream.mute'>> {
  const { session } = context;
  const role = data.role ?? (session.hold(stream)?.publish === undefined ? 'play' : 'publish');
  const held = session.hold(stream)?.[role];
  if (held === undefined) throw notHeld(stream, data.role);
  const { video, audio } = await services.links.call(
    held.node,
    'mute',
    {
      stream,
      session: session.id,
      role,
      ...(data.video !== undefined && { video: data.video }),
      ...(data.audio !== undefined && { audio: data.audio }),
    },
    timeLeft(services, context),
  );
  services.log.info({ session: session.publicId, stream, role, video, audio }, 'stream muted');
  return { video, audio };
}

/** @param role absent = the request named none */
export function notHeld(stream: StreamName, role?: Role): MillraceError {
  const done = role === undefined ? 'publish or play' : role;
  return new MillraceError(
    'stream_not_found',
    `this session does not ${done} "${stream}", or no longer does; begin it first`,
  );
}
