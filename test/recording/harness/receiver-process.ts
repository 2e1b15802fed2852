// A receiver as a recorder's supervisor starts it. The environment says where its worker is and what opens channels.
import { pino } from 'pino';
import { connectWebSocket } from '../../../adapters/channel/websocket/client.ts';
import { signChannelToken } from '../../../adapters/channel/websocket/token.ts';
import type { PipeCalls, PipeNotice } from '../../../core/channel/pipes.ts';
import { runReceiver } from '../../../recorder/index.ts';

const { MILLRACE_WORKER_BIN: workerBin = '', CHANNEL_SECRET = '' } = process.env;
const secret = Buffer.from(CHANNEL_SECRET);

await runReceiver({
  workerBin,
  pipeListen: { ip: '127.0.0.1' },
  connect: (address) =>
    connectWebSocket<PipeCalls, PipeNotice>(address, 'pipes', {
      token: (service) =>
        signChannelToken(() => [secret], { services: [service], ttlMs: 60_000 }, Date.now()),
      maxCallsInFlight: 100,
    }),
  log: pino({ level: process.env.RECEIVER_LOG ?? 'silent' }),
});
