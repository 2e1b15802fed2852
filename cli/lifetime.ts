import type { Logger } from 'pino';

/** For everything to end; whatever has not by then is left to the kernel. */
const CLOSE_DEADLINE_MS = 1800;
/** A terminal and npm each pass on one Ctrl-C. What comes this soon is the same one. */
const SAME_SIGNAL_MS = 300;

export interface Lifetime {
  /** Ends the process in good order, as a signal would. */
  end(why: string, exitCode: number): void;
  /** From now on SIGTERM lets this go first; a second one, or any other signal, ends the process at once. */
  onDrain(drain: () => Promise<void>): void;
  /** As SIGTERM does, where there is something to drain. */
  drain(why: string): void;
  readonly draining: boolean;
  /** Whether the end has begun. */
  readonly ending: boolean;
}

/**
 * Ends the process once: on SIGTERM, SIGINT and SIGHUP, when the setup process that started it is gone, and
 * on an error that nothing caught. A second signal ends it at once. Where `onDrain` says how, SIGTERM drains first.
 *
 * @param close ends workers and connections; it may be called while the start is still under way
 */
export function governLifetime(log: Logger, close: () => Promise<void>): Lifetime {
  let endingSinceMs: number | undefined;
  let drainingSinceMs: number | undefined;
  let letGo: (() => Promise<void>) | undefined;

  const end = (why: string, exitCode: number): void => {
    if (endingSinceMs !== undefined) return;
    endingSinceMs = performance.now();
    log.info({ why }, 'stopping');
    const exit = (code: number) => process.exit(code);
    setTimeout(() => {
      log.warn({ deadlineMs: CLOSE_DEADLINE_MS }, 'not everything ended in time');
      exit(exitCode);
    }, CLOSE_DEADLINE_MS).unref();
    close().then(
      () => {
        log.info({ ms: Math.round(performance.now() - (endingSinceMs ?? 0)) }, 'stopped');
        exit(exitCode);
      },
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        exit(exitCode || 1);
      },
    );
  };

  const drain = (why: string): void => {
    if (letGo === undefined || drainingSinceMs !== undefined || endingSinceMs !== undefined) return;
    drainingSinceMs = performance.now();
    letGo().then(
      () => end(why, 0),
      (error: unknown) => {
        log.error({ err: error }, 'draining failed');
        end(why, 1);
      },
    );
  };

  const onSignal = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGTERM' && endingSinceMs === undefined && letGo !== undefined) {
      if (drainingSinceMs === undefined) {
        drain(signal);
        return;
      }
      if (performance.now() - drainingSinceMs <= SAME_SIGNAL_MS) return;
    }
    if (endingSinceMs === undefined) end(signal, 0);
    else if (performance.now() - endingSinceMs > SAME_SIGNAL_MS) process.exit(1);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal);

  // Setup holds the other end of this channel; it closes whatever ends setup, SIGKILL too.
  if (process.channel) process.once('disconnect', () => end('the process that started this one is gone', 0));

  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      log.fatal({ err: error }, event === 'uncaughtException' ? 'uncaught exception' : 'unhandled rejection');
      end('an error that nothing caught', 1);
    });
  }
  return {
    end,
    drain,
    onDrain(drain) {
      letGo = drain;
    },
    get draining() {
      return drainingSinceMs !== undefined;
    },
    get ending() {
      return endingSinceMs !== undefined;
    },
  };
}
