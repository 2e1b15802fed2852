import { createWorker } from 'mediasoup';
import type { PipeTransport, Router, Worker } from 'mediasoup/types';
import type { PipeAddress } from '../../../core/channel/pipes.ts';
import { ensureWorker } from '../../../media-server/worker/cache.js';

/** The worker of another process, as one that pulls streams has it. */
export class FarEnd {
  readonly router: Router;
  readonly #worker: Worker;

  static async start(): Promise<FarEnd> {
    const worker = await createWorker({ workerBin: await ensureWorker(), logLevel: 'error' });
    const router = await worker.createRouter({
      mediaCodecs: [
        { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
        { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
      ],
    });
    return new FarEnd(worker, router);
  }

  private constructor(worker: Worker, router: Router) {
    this.#worker = worker;
    this.router = router;
  }

  async transport(): Promise<{ readonly transport: PipeTransport; readonly address: PipeAddress }> {
    const transport = await this.router.createPipeTransport({
      listenInfo: { protocol: 'udp', ip: '127.0.0.1' },
      enableRtx: true,
      enableSrtp: true,
    });
    const { tuple, srtpParameters } = transport;
    return {
      transport,
      address: {
        ip: tuple.localAddress,
        port: tuple.localPort,
        ...(srtpParameters ? { srtpParameters } : {}),
      },
    };
  }

  close(): void {
    this.#worker.close();
  }
}
