import { networkInterfaces } from 'node:os';
import type { Logger } from 'pino';
import { listenAddresses } from './addresses.ts';
import { usableAddresses } from './port-probe.ts';
import type { MediaServerSettings } from './settings.ts';
import { MediaWorker } from './worker.ts';

const SAMPLE_INTERVAL_MS = 1000;
/** Pause before a worker is replaced again that died within `STABLE_MS` of its start; doubled each time. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
const STABLE_MS = 10_000;

type Settings = Pick<MediaServerSettings, 'workerBin' | 'workers' | 'rtcListen' | 'rtcPort' | 'codecs'>;

/** One place of the pool: the worker at one port, and its replacement when that dies. */
interface Seat {
  readonly index: number;
  worker: MediaWorker | undefined;
  startedAtMs: number;
  pauseMs: number;
  retry: NodeJS.Timeout | undefined;
  deaths: number;
}

/**
 * The workers of this node, one a core. A worker that dies is replaced at once on the same port; one that
 * keeps dying is replaced at growing intervals.
 */
export class WorkerPool {
  readonly #settings: Settings;
  readonly #log: Logger;
  readonly #seats: readonly Seat[];
  #sampler: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(settings: Settings, log: Logger) {
    this.#settings = settings;
    this.#log = log;
    this.#seats = Array.from({ length: settings.workers }, (_, index) => ({
      index,
      worker: undefined,
      startedAtMs: 0,
      pauseMs: 0,
      retry: undefined,
      deaths: 0,
    }));
  }

  /** @throws Error naming the setting to change when a port is taken or no address is left */
  async start(): Promise<void> {
    const started = await Promise.allSettled(this.#seats.map((seat) => this.#seat(seat)));
    const failed = started.find((result) => result.status === 'rejected');
    if (failed) {
      await this.close();
      throw failed.reason;
    }
    this.#sampler = setInterval(() => this.#sample(), SAMPLE_INTERVAL_MS);
  }

  /** Those that are alive. */
  get workers(): readonly MediaWorker[] {
    return this.#seats.flatMap(({ worker }) => (worker && !worker.closed ? [worker] : []));
  }

  /** Deaths since the start, by index of the worker. */
  get deaths(): readonly number[] {
    return this.#seats.map(({ deaths }) => deaths);
  }

  /** Mean load of the workers; 1 while none is alive. */
  get load(): number {
    const { workers } = this;
    if (workers.length === 0) return 1;
    return workers.reduce((sum, { load }) => sum + load, 0) / workers.length;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sampler);
    await Promise.all(
      this.#seats.map(async (seat) => {
        clearTimeout(seat.retry);
        await seat.worker?.close();
      }),
    );
  }

  async #seat(seat: Seat): Promise<void> {
    const port = this.#settings.rtcPort === 0 ? 0 : this.#settings.rtcPort + seat.index;
    // Asked anew each time: an address of the last start may be gone.
    const addresses = listenAddresses(this.#settings.rtcListen, networkInterfaces());
    const { usable, unavailable } = await usableAddresses(addresses, port);
    if (unavailable.length > 0) {
      this.#log.warn({ addresses: unavailable.map(({ ip }) => ip), port }, 'addresses left out: not usable');
    }
    const worker = await MediaWorker.start({
      index: seat.index,
      port,
      addresses: usable,
      settings: this.#settings,
      log: this.#log,
    });
    if (this.#closed) return worker.close();
    seat.worker = worker;
    seat.startedAtMs = Date.now();
    worker.onDied(() => this.#replace(seat));
    this.#log.info(
      { worker: seat.index, workerPid: worker.pid, port, addresses: usable.map(({ ip }) => ip) },
      'worker started',
    );
  }

  #replace(seat: Seat): void {
    seat.deaths++;
    seat.worker = undefined;
    const stable = Date.now() - seat.startedAtMs >= STABLE_MS;
    const pauseMs = stable ? 0 : seat.pauseMs;
    seat.pauseMs = Math.min(Math.max(FIRST_PAUSE_MS, pauseMs * 2), LONGEST_PAUSE_MS);
    this.#seatAfter(seat, pauseMs);
  }

  #seatAfter(seat: Seat, pauseMs: number): void {
    if (this.#closed) return;
    seat.retry = setTimeout(() => {
      this.#seat(seat).catch((error: unknown) => {
        this.#log.error({ err: error, worker: seat.index }, 'worker could not be replaced; trying again');
        seat.pauseMs = Math.min(Math.max(FIRST_PAUSE_MS, seat.pauseMs * 2), LONGEST_PAUSE_MS);
        this.#seatAfter(seat, seat.pauseMs);
      });
    }, pauseMs);
  }

  #sample(): void {
    for (const worker of this.workers) {
      // A worker that does not answer was killed by `ask`, and its death is reported there.
      worker.sample(Date.now()).catch(() => {});
    }
  }
}
