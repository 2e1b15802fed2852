import type { Logger } from 'pino';
import { connectWebSocket } from '../adapters/channel/websocket/client.ts';
import type { PipeCalls, PipeNotice } from '../core/channel/pipes.ts';
import { TOKEN_VARIABLE } from '../core/channel/recorder.ts';
import { workerCachePath } from '../media-server/worker/cache.js';
import { runMuxer, runReceiver } from '../recorder/index.ts';
import { parseArguments } from './arguments.ts';
import { createLog, logFormat } from './log.ts';
import { readSettings } from './read-settings.ts';
import type { Settings } from './settings.ts';
import { openStorage } from './storage.ts';

const MAX_CALLS_IN_FLIGHT = 64;

/** `millrace recorder-receiver`: what a recorder starts to receive the stream. */
export async function runReceiverPart(): Promise<void> {
  const { settings, token, log } = start('receiver');
  await runReceiver({
    workerBin: settings.workerBin ?? workerCachePath(),
    pipeListen: { ip: settings.pipeListen, ports: settings.pipePorts },
    connect: (address) =>
      connectWebSocket<PipeCalls, PipeNotice>(address, 'pipes', {
        token: async () => token,
        maxCallsInFlight: MAX_CALLS_IN_FLIGHT,
        limits: { heartbeatMs: settings.channelHeartbeat },
        onGone: (gone) => log.debug({ ...gone, address }, 'the channel to a media server is gone'),
      }),
    log,
  });
}

/** `millrace recorder-muxer`: what a recorder starts to write the file. */
export async function runMuxerPart(): Promise<void> {
  const { settings, log } = start('muxer');
  if (settings.recordings === undefined) throw new Error('MILLRACE_RECORDINGS=off');
  await runMuxer({
    objects: await openStorage(settings.recordings),
    spoolDirectory: settings.recordingSpool,
    log,
  });
}

function start(part: string): { readonly settings: Settings; readonly token: string; readonly log: Logger } {
  const { [TOKEN_VARIABLE]: token = '', ...environment } = process.env;
  const { settings } = readSettings(parseArguments([]), environment);
  const format = logFormat(settings, false);
  return { settings, token, log: createLog(settings.logLevel, format).child({ component: part }) };
}
