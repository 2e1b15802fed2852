import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeChannel } from '../../../core/channel/conformance.ts';
import {
  type Connect,
  type TrialCalls,
  type TrialNotice,
  until,
} from '../../../core/channel/conformance-trial.ts';
import type { Peer } from '../../../core/channel/service.ts';
import { connectWebSocket } from './client.ts';
import { clusterToken, secrets } from './harness/connection.ts';
import { ChannelServer, type ChannelServerOptions } from './server.ts';

function over(
  listen: () => Promise<{ listen: ChannelServerOptions['listen']; gone?: () => Promise<void> }>,
): Connect {
  return async ({ handlers, maxCallsInFlight, onError }) => {
    const { listen: where, gone } = await listen();
    const peers = new Set<Peer<TrialNotice>>();
    const server = new ChannelServer({
      listen: where,
      secrets,
      maxCallsInFlight: 1000,
      onError,
    });
    server.serve('media', (peer: Peer<TrialNotice>) => {
      peers.add(peer);
      return handlers;
    });
    await server.listen();
    const address = 'path' in where ? `unix:${where.path}` : `ws://${where.host}:${server.port}`;
    const channel = connectWebSocket<TrialCalls, TrialNotice>(address, 'media', {
      token: (service) => clusterToken(service),
      maxCallsInFlight,
    });
    // The suite sends notices at once, and where nobody is connected there is nobody to tell.
    await until(() => peers.size > 0);
    return {
      channel,
      notify: (notice) => {
        for (const peer of peers) peer.notify(notice);
      },
      stop: async () => {
        await server.close();
        await gone?.();
      },
    };
  };
}

describeChannel(
  'The channel over a WebSocket',
  over(async () => ({ listen: { host: '127.0.0.1', port: 0 } })),
);

describeChannel(
  'The channel over a WebSocket on a unix socket',
  over(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-channel-'));
    return { listen: { path: join(folder, 'channel') }, gone: () => rm(folder, { recursive: true }) };
  }),
);
