import type { RecorderChannel, RecorderOrders, RecorderReport } from '../../core/channel/recorder.ts';
import { MillraceError } from '../../core/protocol/error.ts';
import type { RecordingEpoch, RecordingId } from '../../core/recording/recording.ts';

const REPORT_EVERY_MS = 500;
/** Less than the silence that is taken for death: one that is lost is followed by another in time. */
const CALL_TIMEOUT_MS = 1500;
/** Between two tries to connect. */
const CONNECT_EVERY_MS = 500;

export interface HomeOptions {
  readonly recording: RecordingId;
  readonly connect: () => RecorderChannel;
  /** What is to be said now. */
  readonly report: () => RecorderReport;
  readonly onOrders: (orders: RecorderOrders) => void;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

/** The recorder's line to its home: reports twice a second and when something changed, orders back. */
export class Home {
  readonly #options: HomeOptions;
  #channel: RecorderChannel | undefined;
  #connectAtMs = 0;
  #reportedAtMs = Number.NEGATIVE_INFINITY;
  #changed = false;
  #reporting = false;

  constructor(options: HomeOptions) {
    this.#options = options;
  }

  /** Something changed that home should know at once. */
  changed(): void {
    this.#changed = true;
    this.tick();
  }

  /** Sends what is due. To be called several times a second. */
  tick(): void {
    const due = this.#changed || this.#options.now() >= this.#reportedAtMs + REPORT_EVERY_MS;
    if (due && !this.#reporting) void this.report();
  }

  /** @returns whether home has heard it */
  async report(): Promise<boolean> {
    this.#reporting = true;
    this.#changed = false;
    this.#reportedAtMs = this.#options.now();
    try {
      const orders = await this.#call((channel) =>
        channel.call('report', this.#options.report(), { timeoutMs: CALL_TIMEOUT_MS }),
      );
      if (orders !== undefined) this.#options.onOrders(orders);
      return orders !== undefined;
    } finally {
      this.#reporting = false;
    }
  }

  /** @returns undefined when home, or the registry behind it, cannot say now */
  async finish(epoch: RecordingEpoch): Promise<boolean | undefined> {
    const { recording } = this.#options;
    const reply = await this.#call((channel) =>
      channel.call('finish', { recording, epoch }, { timeoutMs: CALL_TIMEOUT_MS }),
    );
    return reply?.granted;
  }

  close(): void {
    this.#connectAtMs = Number.POSITIVE_INFINITY;
    this.#channel?.close();
  }

  async #call<Reply>(call: (channel: RecorderChannel) => Promise<Reply>): Promise<Reply | undefined> {
    const channel = this.#connected();
    if (channel === undefined) return undefined;
    try {
      return await call(channel);
    } catch (error) {
      // Whatever the reason, the recorder goes on and asks again.
      if (error instanceof MillraceError) return undefined;
      throw error;
    }
  }

  #connected(): RecorderChannel | undefined {
    const { now, connect, recording, onOrders } = this.#options;
    if (this.#channel !== undefined || now() < this.#connectAtMs) return this.#channel;
    this.#connectAtMs = now() + CONNECT_EVERY_MS;
    const channel = connect();
    this.#channel = channel;
    channel.onNotice((notice) => {
      if (notice.recording === recording) onOrders(notice.orders);
    });
    channel.onClose(() => {
      if (this.#channel === channel) this.#channel = undefined;
    });
    return channel;
  }
}
