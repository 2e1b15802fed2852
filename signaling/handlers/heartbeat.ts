import type { ReplyData } from '../../core/protocol/index.ts';
import type { RequestContext, Services } from '../request-context.ts';

/** From its first heartbeat on, a session has to send them. */
export function heartbeat(services: Services, { session }: RequestContext): ReplyData<'stream.heartbeat'> {
  session.heartbeatAtMs = services.now();
  const servers = services.iceServers(session.publicId);
  return servers.length === 0 ? {} : { ice_servers: servers };
}
