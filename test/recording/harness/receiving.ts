import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import type { PipeChannel } from '../../../core/channel/pipes.ts';
import type { StreamName } from '../../../core/protocol/stream-name.ts';
import type { MediaServer } from '../../../media-server/index.ts';
import { ensureWorker } from '../../../media-server/worker/cache.js';
import { Receiver, type ReceiverOptions } from '../../../recorder/receiver/receiver.ts';
import { pipeChannel } from '../../media-server/harness/pipe-channel.ts';
import { Listener } from './listener.ts';

/** A receiver in this process, with a worker of its own, that can reach media servers by name. */
export interface Receiving {
  readonly receiver: Receiver;
  /** Its open channels, oldest first. */
  readonly channels: readonly PipeChannel[];
  /** Media servers by their addresses; more may be added. */
  readonly servers: Servers;
  /** Connects as a muxer would. */
  listen(): Promise<Listener>;
}

type Servers = Record<string, Pick<MediaServer, 'servePipes'>>;

/** It is closed when the test ends. */
export async function startReceiving(
  t: TestContext,
  servers: Servers,
  stream: string,
  more: Partial<ReceiverOptions> = {},
): Promise<Receiving> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-receiver-'));
  const socketPath = join(folder, 'socket');
  const channels: PipeChannel[] = [];
  const listeners: Listener[] = [];
  const receiver = await Receiver.start({
    stream: stream as StreamName,
    socketPath,
    workerBin: await ensureWorker(),
    pipeListen: { ip: '127.0.0.1' },
    connect: (address) => {
      const server = servers[address];
      if (!server) throw new Error(`no media server "${address}" in this test`);
      const channel = pipeChannel(server);
      channels.push(channel);
      channel.onClose(() => channels.splice(channels.indexOf(channel), 1));
      return channel;
    },
    log: pino({ level: process.env.RECEIVER_LOG ?? 'silent' }),
    onWorkerDied: () => {},
    ...more,
  });
  t.after(async () => {
    for (const listener of listeners) listener.close();
    await receiver.close();
    rmSync(folder, { recursive: true });
  });
  return {
    receiver,
    channels,
    servers,
    async listen() {
      const listener = await Listener.connect(socketPath);
      listeners.push(listener);
      return listener;
    },
  };
}
