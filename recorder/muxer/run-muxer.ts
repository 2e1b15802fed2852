import type { Logger } from 'pino';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { type MuxerNotice, type MuxerOrder, SIGN_OF_LIFE_MS } from '../supervisor-message.ts';
import { MuxerProcess } from './muxer-process.ts';

export interface RunMuxerOptions {
  /** Where recordings are kept. */
  readonly objects: ObjectStore;
  /** What waits for storage lies there, on a disk of this machine. */
  readonly spoolDirectory: string;
  readonly log: Logger;
}

const TICK_MS = 250;

/**
 * The muxer as a child process of a recorder's supervisor, which tells it by IPC what to write. The process ends
 * soon after its supervisor.
 */
export function runMuxer({ objects, spoolDirectory, log }: RunMuxerOptions): void {
  // The supervisor decides what a signal to the whole group means.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  const tell = (notice: MuxerNotice) => {
    process.send?.(notice, undefined, undefined, (error) => {
      // The channel is closing: 'disconnect' follows.
      if (error) log.debug({ err: error }, 'supervisor not told');
    });
  };
  let muxer: MuxerProcess | undefined;
  process.on('message', (order: MuxerOrder) => {
    if (order.type !== 'start') muxer?.obey(order);
    else {
      const now = () => performance.now();
      muxer ??= new MuxerProcess({ objects, spoolDirectory, log, tell, now }, order);
    }
  });
  setInterval(() => muxer?.tick(), TICK_MS);
  setInterval(() => muxer?.tellProgress(), SIGN_OF_LIFE_MS);
  process.once('disconnect', () => {
    (muxer?.leave() ?? Promise.resolve()).then(
      () => process.exit(0),
      (error: unknown) => {
        log.warn({ err: error }, 'not everything became durable');
        process.exit(1);
      },
    );
  });
}
