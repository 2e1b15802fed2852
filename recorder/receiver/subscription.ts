import type { Logger } from 'pino';
import type { PipeChannel } from '../../core/channel/pipes.ts';
import { MillraceError } from '../../core/protocol/error.ts';
import type { StreamName } from '../../core/protocol/stream-name.ts';
import { Pull } from './pull.ts';
import type { Reception } from './reception.ts';

/** Between attempts; doubled each time. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1000;
/** A pull without any packet for this long is begun anew; doubled each time that it did not help. */
const FIRST_PATIENCE_MS = 2000;
const LONGEST_PATIENCE_MS = 30_000;
/** An older pull stays this long after all of the newer one is there. */
const OVERLAP_MS = 1000;
/** Older pulls at once, at most; their media server keeps them no longer than some seconds. */
const MAX_LEAVING = 2;

export interface SubscriptionOptions {
  readonly stream: StreamName;
  /** Of the media server's internal channel. */
  readonly address: string;
  readonly connect: (address: string) => PipeChannel;
  readonly reception: Reception;
  readonly log: Logger;
}

/**
 * The stream as one media server has it, in whatever generation: connected and pulled again and again until
 * it is closed, or given up.
 */
export class Subscription {
  readonly address: string;
  readonly #options: SubscriptionOptions;
  #channel: PipeChannel | undefined;
  #newest: Pull | undefined;
  readonly #leaving = new Set<Pull>();
  #pursuit: 'none' | 'running' | 'again' = 'none';
  #retry: NodeJS.Timeout | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #patienceMs = FIRST_PATIENCE_MS;
  #problem: string | undefined;
  #givenUp = false;
  #closed = false;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.address = options.address;
    void this.#pursue();
  }

  get receiving(): boolean {
    return this.#newest?.receiving ?? false;
  }

  /** Whether all of the stream has come for a moment: what came from elsewhere is not needed any more. */
  settled(nowMs: number): boolean {
    return this.#newest !== undefined && this.#newest.completeForMs(nowMs) >= OVERLAP_MS;
  }

  /** Given up, and nothing is left of it. */
  get over(): boolean {
    return this.#closed || (this.#givenUp && !this.#newest && this.#pursuit === 'none');
  }

  /** What hinders it, for people. */
  get problem(): string | undefined {
    const [unrecordable] = this.#newest?.unrecordable ?? [];
    if (unrecordable) {
      const { kind, codec } = unrecordable;
      return `the ${kind} comes as ${codec}, which WebM does not hold: it is left out`;
    }
    return this.#problem;
  }

  /** The stream is known to be there (again). */
  seek(): void {
    this.#givenUp = false;
    this.#pauseMs = FIRST_PAUSE_MS;
    if (!this.#newest && this.#pursuit === 'none') void this.#pursue();
  }

  /** What it has goes on until it ends; nothing more is sought. */
  giveUp(): void {
    this.#givenUp = true;
    clearTimeout(this.#retry);
  }

  /** Looks whether media comes. To be called some times a second. */
  check(nowMs: number): void {
    const newest = this.#newest;
    if (!newest) return;
    if (this.settled(nowMs)) this.#release(this.#leaving);
    if (this.#givenUp || this.#pursuit !== 'none') return;
    const silentMs = newest.silentMs(nowMs);
    if (silentMs < FIRST_PATIENCE_MS / 2 && newest.receiving) this.#patienceMs = FIRST_PATIENCE_MS;
    if (silentMs < this.#patienceMs) return;
    this.#options.log.warn({ silentMs }, 'no media: pulling the stream anew');
    this.#patienceMs = Math.min(this.#patienceMs * 2, LONGEST_PATIENCE_MS);
    this.#newest = undefined;
    newest.close();
    void this.#pursue();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#endPulls();
    this.#channel?.close();
  }

  async #pursue(): Promise<void> {
    if (this.#pursuit !== 'none') {
      this.#pursuit = 'again';
      return;
    }
    clearTimeout(this.#retry);
    try {
      do {
        this.#pursuit = 'running';
        await this.#pullNewest();
      } while (this.#isWantedAgain());
      this.#problem = undefined;
      this.#pauseMs = FIRST_PAUSE_MS;
    } catch (error) {
      this.#failed(error);
    }
    this.#pursuit = 'none';
  }

  #isWantedAgain(): boolean {
    return this.#pursuit === 'again' && !this.#closed && !this.#givenUp;
  }

  async #pullNewest(): Promise<void> {
    const { stream, reception, log } = this.#options;
    const channel = this.#channel ?? this.#connect();
    const pull = await Pull.open({
      channel,
      stream,
      reception,
      onMoved: () => void this.#pursue(),
      onEnded: (ended) => this.#ended(ended),
    });
    if (this.#closed || channel !== this.#channel || pull.closed) {
      pull.close();
      throw new MillraceError('stream_ended', 'the stream ended while it was being pulled');
    }
    log.info('stream pulled');
    if (this.#newest) this.#leave(this.#newest);
    this.#newest = pull;
  }

  #connect(): PipeChannel {
    const channel = this.#options.connect(this.address);
    this.#channel = channel;
    channel.onClose(() => {
      if (this.#channel !== channel) return;
      this.#channel = undefined;
      this.#options.log.warn({ address: this.address }, 'connection to the media server lost');
      this.#endPulls();
      if (!this.#closed && !this.#givenUp) void this.#pursue();
    });
    return channel;
  }

  #failed(error: unknown): void {
    if (this.#closed) return;
    const problem = error instanceof Error ? error.message : String(error);
    // Said once, however often it is tried.
    this.#options.log[problem === this.#problem ? 'debug' : 'warn'](
      { err: error },
      'stream not pulled; trying again',
    );
    this.#problem = problem;
    // A connection that does not answer is none.
    if (error instanceof MillraceError && error.errorName === 'timed_out') this.#channel?.close();
    if (this.#givenUp) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#pursue(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }

  #ended(pull: Pull): void {
    this.#leaving.delete(pull);
    if (pull !== this.#newest) return;
    this.#options.log.info('pull ended');
    this.#newest = undefined;
    if (!this.#givenUp) void this.#pursue();
  }

  #leave(pull: Pull): void {
    this.#leaving.add(pull);
    for (const oldest of this.#leaving) {
      if (this.#leaving.size <= MAX_LEAVING) return;
      this.#release([oldest]);
    }
  }

  #release(pulls: Iterable<Pull>): void {
    for (const pull of [...pulls]) {
      this.#leaving.delete(pull);
      pull.close();
    }
  }

  #endPulls(): void {
    const newest = this.#newest;
    this.#newest = undefined;
    this.#release([...this.#leaving, ...(newest ? [newest] : [])]);
  }
}
