import { once } from 'node:events';
import { createWorker } from 'mediasoup';
import type { Router, TransportListenInfo, WebRtcServer, Worker } from 'mediasoup/types';
import type { Logger } from 'pino';
import type { WorkerRef } from '../core/channel/pipes.ts';
import { MillraceError } from '../core/protocol/error.ts';
import { withDeadline } from './deadline.ts';
import { routerCodecs } from './router-codecs.ts';
import type { MediaServerSettings, RtcAddress } from './settings.ts';

const START_TIMEOUT_MS = 10_000;
/** A worker that answers no request for this long hangs. */
const CALL_TIMEOUT_MS = 5000;
const CLOSE_TIMEOUT_MS = 500;
/**
 * What each of a worker's sockets asks the kernel for, in both directions, which may grant less. Takes the bursts
 * of key frames of several hundred viewers.
 */
export const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

export interface WorkerOptions {
  /** Which of the node's workers this is; it outlives the process, which is replaced when it dies. */
  readonly index: number;
  readonly port: number;
  readonly addresses: readonly RtcAddress[];
  readonly settings: Pick<MediaServerSettings, 'workerBin' | 'codecs'>;
  readonly log: Logger;
}

/**
 * One mediasoup worker process, with the one router and the one WebRtcServer that it has here.
 *
 * When the process dies, mediasoup closes its transports with `routerclose`, from which publications, plays
 * and pipes learn of it. A process that hangs is killed, so that there is one kind of death only.
 */
export class MediaWorker {
  readonly index: number;
  /** Where its clients' media arrives; one port, unless the settings leave the choice to the system. */
  readonly udpPorts: ReadonlySet<number>;
  readonly router: Router;
  readonly webRtcServer: WebRtcServer;
  readonly #worker: Worker;
  readonly #log: Logger;
  #load = 0;
  #killed = false;
  #sampled: { readonly atMs: number; readonly cpuMs: number } | undefined;

  /** Publications and plays carried; kept by those themselves, read by placement. */
  streams = 0;
  viewers = 0;

  /** @throws Error when the process, its sockets or its router cannot be made in time */
  static async start(options: WorkerOptions): Promise<MediaWorker> {
    const worker = await withDeadline(
      `starting ${options.settings.workerBin}`,
      START_TIMEOUT_MS,
      createWorker({ workerBin: options.settings.workerBin, logLevel: 'warn' }),
      (late) => late.close(),
    );
    leaveSignalsToTheProgram(worker);
    try {
      const [webRtcServer, router] = await withDeadline(
        'opening the media ports of a worker',
        START_TIMEOUT_MS,
        Promise.all([
          worker.createWebRtcServer({ listenInfos: listenInfos(options) }),
          worker.createRouter({ mediaCodecs: routerCodecs(options.settings.codecs) }),
        ]),
      );
      const { udpSockets } = await withDeadline(
        'reading the media ports of a worker',
        START_TIMEOUT_MS,
        webRtcServer.dump(),
      );
      const udpPorts = new Set(udpSockets.map(({ port }) => port));
      return new MediaWorker(options, worker, webRtcServer, router, udpPorts);
    } catch (error) {
      killProcess(worker.pid);
      throw error;
    }
  }

  private constructor(
    options: WorkerOptions,
    worker: Worker,
    webRtcServer: WebRtcServer,
    router: Router,
    udpPorts: ReadonlySet<number>,
  ) {
    this.index = options.index;
    this.udpPorts = udpPorts;
    this.#worker = worker;
    this.webRtcServer = webRtcServer;
    this.router = router;
    this.#log = options.log.child({ worker: options.index, workerPid: worker.pid });
  }

  get pid(): number {
    return this.#worker.pid;
  }

  /** Names this process, and no later one in its place, to other processes. */
  get ref(): WorkerRef {
    return `${this.index}-${this.pid}`;
  }

  get closed(): boolean {
    return this.#worker.closed;
  }

  /** Share of one core that the process used between the last two samples, 0..1. */
  get load(): number {
    return this.#load;
  }

  /** User and system time of the process at the last sample. */
  get cpuSeconds(): number {
    return (this.#sampled?.cpuMs ?? 0) / 1000;
  }

  /** Called once if the process dies; not when it is closed. */
  onDied(listener: () => void): void {
    this.#worker.on('died', (error) => {
      this.#log.error({ reason: error.message }, 'worker died');
      listener();
    });
  }

  /**
   * The result of a request to the process. One that is not answered in time means that the process hangs:
   * it is killed.
   *
   * @throws MillraceError `no_media_server` when the process is gone, `timed_out` when it hangs; else as
   *   mediasoup refuses the request
   */
  async ask<T>(what: string, request: Promise<T>): Promise<T> {
    try {
      return await withDeadline(what, CALL_TIMEOUT_MS, request);
    } catch (error) {
      if (error instanceof MillraceError && error.errorName === 'timed_out') {
        this.kill(`no answer to "${what}" for ${CALL_TIMEOUT_MS} ms`);
      } else if (this.closed) {
        throw new MillraceError('no_media_server', `${what}: the media worker is gone; try again`, {
          cause: error,
        });
      }
      throw error;
    }
  }

  /** Measures the load. @throws as `ask` */
  async sample(nowMs: number): Promise<void> {
    const usage = await this.ask('measuring the CPU time of a worker', this.#worker.getResourceUsage());
    const sampled = { atMs: nowMs, cpuMs: usage.ru_utime + usage.ru_stime };
    const before = this.#sampled;
    if (before && sampled.atMs > before.atMs) {
      this.#load = Math.min(1, (sampled.cpuMs - before.cpuMs) / (sampled.atMs - before.atMs));
    }
    this.#sampled = sampled;
  }

  kill(reason: string): void {
    if (this.closed || this.#killed) return;
    this.#killed = true;
    this.#log.error({ reason }, 'worker killed');
    killProcess(this.pid);
  }

  /** Ends the process; its peers get a DTLS close alert. */
  async close(): Promise<void> {
    if (this.#worker.subprocessClosed) return;
    const ended = once(this.#worker, 'subprocessclose');
    this.#worker.close();
    try {
      await withDeadline('ending a worker', CLOSE_TIMEOUT_MS, ended);
    } catch {
      killProcess(this.pid);
    }
  }
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It may have ended by itself just now.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function listenInfos({ addresses, port }: WorkerOptions): TransportListenInfo[] {
  return (['udp', 'tcp'] as const).flatMap((protocol) =>
    addresses.map(({ ip, announcedAddress }) => ({
      protocol,
      ip,
      ...(announcedAddress === undefined ? {} : { announcedAddress }),
      ...(port === 0 ? {} : { port }),
      ...(ip.includes(':') ? { flags: { ipv6Only: true } } : {}),
      sendBufferSize: SOCKET_BUFFER_BYTES,
      recvBufferSize: SOCKET_BUFFER_BYTES,
    })),
  );
}

/**
 * mediasoup closes its workers by itself on SIGINT and SIGTERM, and by listening keeps Node from ending.
 * What a signal means is for the program to say, which may want to drain first.
 */
function leaveSignalsToTheProgram(worker: Worker): void {
  // `onSignal` is a property of the object that mediasoup's types do not show.
  const { onSignal } = worker as unknown as { readonly onSignal: () => void };
  process.removeListener('SIGINT', onSignal);
  process.removeListener('SIGTERM', onSignal);
}
