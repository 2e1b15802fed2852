import { once } from 'node:events';
import { createWorker } from 'mediasoup';
import type { Router, RouterRtpCodecCapability, Worker } from 'mediasoup/types';
import { DeadlineError, withDeadline } from './deadline.ts';

const START_TIMEOUT_MS = 5000;
/** A worker that answers no request for this long hangs. */
const CALL_TIMEOUT_MS = 3000;
const CLOSE_TIMEOUT_MS = 500;

const video = (mimeType: string, parameters: Record<string, unknown> = {}): RouterRtpCodecCapability => ({
  kind: 'video',
  mimeType,
  clockRate: 90_000,
  parameters,
});

/** What WebM holds (WebM container guidelines, "Codecs"); a media server has the same variants of these. */
const RECORDABLE: RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
  video('video/VP8'),
  video('video/VP9', { 'profile-id': 0 }),
  video('video/VP9', { 'profile-id': 2 }),
  video('video/AV1'),
];

/** The receiver's own mediasoup worker with its one router. There is no going on without it. */
export class OwnWorker {
  readonly router: Router;
  readonly #worker: Worker;

  /** @throws Error when the process or its router cannot be made in time */
  static async start(workerBin: string): Promise<OwnWorker> {
    const worker = await withDeadline(
      `starting ${workerBin}`,
      START_TIMEOUT_MS,
      createWorker({ workerBin, logLevel: 'error' }),
      (late) => late.close(),
    );
    leaveSignalsToTheProgram(worker);
    try {
      const router = worker.createRouter({ mediaCodecs: RECORDABLE });
      return new OwnWorker(worker, await withDeadline('making a router', START_TIMEOUT_MS, router));
    } catch (error) {
      worker.close();
      throw error;
    }
  }

  private constructor(worker: Worker, router: Router) {
    this.#worker = worker;
    this.router = router;
  }

  get pid(): number {
    return this.#worker.pid;
  }

  /** Called once if the process dies; not when it is closed. */
  onDied(listener: (reason: string) => void): void {
    this.#worker.on('died', (error) => listener(error.message));
  }

  /**
   * The result of a request to the process; one that hangs is killed.
   *
   * @throws Error as mediasoup refuses the request, or when it takes too long
   */
  async ask<T>(what: string, request: Promise<T>): Promise<T> {
    try {
      return await withDeadline(what, CALL_TIMEOUT_MS, request);
    } catch (error) {
      if (error instanceof DeadlineError) this.#kill();
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#worker.subprocessClosed) return;
    const ended = once(this.#worker, 'subprocessclose');
    this.#worker.close();
    await withDeadline('ending the worker', CLOSE_TIMEOUT_MS, ended).catch(() => this.#kill());
  }

  #kill(): void {
    try {
      process.kill(this.pid, 'SIGKILL');
    } catch (error) {
      // It may have ended by itself just now.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/**
 * mediasoup closes its workers by itself on SIGINT and SIGTERM, and by listening keeps Node from ending.
 * What a signal means is for the program to say.
 */
function leaveSignalsToTheProgram(worker: Worker): void {
  // `onSignal` is a property of the object that mediasoup's types do not show.
  const { onSignal } = worker as unknown as { readonly onSignal: () => void };
  process.removeListener('SIGINT', onSignal);
  process.removeListener('SIGTERM', onSignal);
}
