import { connectWebSocket } from '../adapters/channel/websocket/client.ts';
import type { PipeCalls, PipeNotice } from '../core/channel/pipes.ts';
import { workerCachePath } from '../media-server/worker/cache.js';
import { runReceiver } from '../recorder/index.ts';
import { recorderTls } from './recorder-environment.ts';
import { beginRecorderPart } from './recorder-part.ts';

const MAX_CALLS_IN_FLIGHT = 64;

/** `millrace recorder-receiver`: what a recorder starts to receive the stream. */
export async function runReceiverPart(): Promise<void> {
  const { settings, token, log } = beginRecorderPart('receiver');
  await runReceiver({
    workerBin: settings.workerBin ?? workerCachePath(),
    pipeListen: { ip: settings.pipeListen, ports: settings.pipePorts },
    connect: (address) =>
      connectWebSocket<PipeCalls, PipeNotice>(address, 'pipes', {
        token: async () => token,
        ...recorderTls(process.env),
        maxCallsInFlight: MAX_CALLS_IN_FLIGHT,
        limits: { heartbeatMs: settings.channelHeartbeat },
        onGone: (gone) => log.debug({ ...gone, address }, 'the channel to a media server is gone'),
      }),
    log,
  });
}
