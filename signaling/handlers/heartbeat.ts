import type { RequestContext, Services } from '../request-context.ts';

/** From its first heartbeat on, a session has to send them. */
export function heartbeat(services: Services, context: RequestContext): Record<string, never> {
  context.session.heartbeatAtMs = services.now();
  return {};
}
