import type { TestContext } from 'node:test';
import type { ServiceName } from '../../../../core/channel/service.ts';
import type { AnyServe } from '../answering.ts';
import { connectWebSocket, type WebSocketChannelOptions } from '../client.ts';
import { ChannelServer, type ChannelServerOptions } from '../server.ts';
import { type Secrets, signChannelToken } from '../token.ts';

export const SECRET = Buffer.from('a secret of more than thirty-two bytes');
export const secrets: Secrets = () => [SECRET];

export const clusterToken = (service: ServiceName, secret: Uint8Array = SECRET) =>
  signChannelToken(() => [secret], { services: [service], ttlMs: 60_000 }, Date.now());

/** A server of this process on a free port; it is closed when the test ends. */
export async function startChannelServer(
  context: TestContext,
  serve: AnyServe,
  options: Partial<ChannelServerOptions> = {},
): Promise<{ readonly server: ChannelServer; readonly address: string; readonly errors: unknown[] }> {
  const errors: unknown[] = [];
  const server = new ChannelServer({
    listen: { host: '127.0.0.1', port: 0 },
    secrets,
    maxCallsInFlight: 1000,
    onError: (error) => errors.push(error),
    ...options,
  });
  server.serve('media', serve);
  await server.listen();
  context.after(() => server.close());
  return { server, address: `ws://127.0.0.1:${server.port}`, errors };
}

/** The calls and notices of `core/channel/conformance-trial.ts`, or any. */
export function connect<Calls extends Record<string, { request: unknown; reply: unknown }>, Notice>(
  context: TestContext,
  address: string,
  options: Partial<WebSocketChannelOptions> = {},
) {
  const channel = connectWebSocket<Calls, Notice>(address, 'media', {
    token: (service) => clusterToken(service),
    maxCallsInFlight: 1000,
    ...options,
  });
  context.after(() => channel.close());
  return channel;
}
