import type { Logger } from 'pino';
import { type ReceiverNotice, type ReceiverOrder, SIGN_OF_LIFE_MS } from '../supervisor-message.ts';
import { Receiver, type ReceiverOptions } from './receiver.ts';

/** How often it is looked whether the supervisor must be told something at once. */
const LOOK_MS = 250;

export type RunReceiverOptions = Pick<ReceiverOptions, 'workerBin' | 'pipeListen' | 'connect' | 'log'>;

/**
 * The receiver as a child process of a recorder's supervisor, which tells it by IPC what to receive. The
 * process ends with its supervisor, and with its mediasoup worker.
 */
export function runReceiver(options: RunReceiverOptions): void {
  const { log } = options;
  const end = (code: number) => process.exit(code);
  // The supervisor decides what a signal to the whole group means.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  process.once('disconnect', () => end(0));
  let receiver: Promise<Receiver> | undefined;
  process.on('message', (order: ReceiverOrder) => {
    if (order.type === 'start') {
      receiver ??= start(order, options, end);
      receiver.catch((error: unknown) => {
        log.fatal({ err: error }, 'the receiver cannot start');
        end(1);
      });
    } else {
      receiver?.then((started) => started.follow(order.source)).catch(() => {});
    }
  });
}

async function start(
  { stream, socketPath, source }: Extract<ReceiverOrder, { readonly type: 'start' }>,
  options: RunReceiverOptions,
  end: (code: number) => void,
): Promise<Receiver> {
  const onWorkerDied = (reason: string) => {
    options.log.fatal({ reason }, 'the worker of the receiver died');
    end(1);
  };
  const receiver = await Receiver.start({ ...options, stream, socketPath, onWorkerDied });
  receiver.follow(source);
  tell({ type: 'ready' }, options.log);
  reportState(receiver, options.log);
  return receiver;
}

function reportState(receiver: Receiver, log: Logger): void {
  let told = { receiving: false, atMs: Number.NEGATIVE_INFINITY };
  setInterval(() => {
    const { receiving, silentMs, problem } = receiver.state;
    const atMs = performance.now();
    if (receiving === told.receiving && atMs - told.atMs < SIGN_OF_LIFE_MS - LOOK_MS) return;
    told = { receiving, atMs };
    const message = problem === undefined ? {} : { message: problem };
    tell({ type: 'alive', receiving, silentMs, ...message }, log);
  }, LOOK_MS);
}

function tell(notice: ReceiverNotice, log: Logger): void {
  process.send?.(notice, undefined, undefined, (error) => {
    // The channel is closing: 'disconnect' follows.
    if (error) log.debug({ err: error }, 'supervisor not told');
  });
}
