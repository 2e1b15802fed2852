import type { EndReason } from '../core/channel/media.ts';
import type { PipeNotice, PullId } from '../core/channel/pipes.ts';
import type { Carrier } from './carrier.ts';
import { FanOut } from './fan-out.ts';
import type { PipeEnd } from './pipe-end.ts';
import { streamChanged } from './play-source.ts';
import { Pull } from './pull.ts';

/** How often a pull is begun anew because the publication was replaced, or got tracks, meanwhile. */
const PULL_ATTEMPTS = 3;

/** What other processes have of one stream: viewers' media servers, and recorders. None of them is a viewer. */
export class Pulls {
  readonly #carrier: () => Carrier;
  readonly #graceMs: number;
  /** Of media servers; recorders are not counted. */
  readonly fanOut: FanOut;
  readonly #pulls = new Set<Pull>();

  /**
   * @param carrier the publication that is pulled; throws `stream_ended` when there is none any more
   * @param graceMs how long a retired publication is kept for those that pull it
   * @param fanOut how many media servers pull it at most
   */
  constructor(carrier: () => Carrier, graceMs: number, fanOut: number) {
    this.fanOut = new FanOut(fanOut);
    this.#carrier = carrier;
    this.#graceMs = graceMs;
  }

  /** The publication that would be pulled now. @throws MillraceError `stream_ended` */
  get source(): Carrier {
    return this.#carrier();
  }

  /**
   * @throws MillraceError `stream_ended` when the stream has ended, or is carried by another worker than the
   *   pipe's; and as `Pull.open`
   */
  async open(options: {
    readonly id: PullId;
    readonly end: PipeEnd;
    readonly notify: (notice: PipeNotice) => void;
  }): Promise<Pull> {
    for (let attempt = 1; ; attempt++) {
      const publication = this.#carrier();
      if (publication.worker !== options.end.worker) throw streamChanged();
      const pull = await Pull.open({ ...options, publication });
      if (pull.complete && !publication.closed && !publication.retired) {
        this.#pulls.add(pull);
        pull.onClosed(() => this.#pulls.delete(pull));
        return pull;
      }
      pull.close();
      if (attempt === PULL_ATTEMPTS) throw streamChanged();
    }
  }

  moveFrom(publication: Carrier): void {
    const pulls = this.#of(publication);
    if (pulls.length === 0) return;
    const elsewhere = !this.#hasNewer();
    for (const pull of pulls) pull.moved(this.#graceMs, elsewhere);
  }

  tracksChanged(publication: Carrier): void {
    for (const pull of this.#of(publication)) void pull.tracksChanged();
  }

  /** @param reason of the stream's end; absent where it is only no longer to be had here */
  endAll(reason?: EndReason): void {
    for (const pull of [...this.#pulls]) pull.end(reason);
  }

  #hasNewer(): boolean {
    try {
      return !this.#carrier().retired;
    } catch {
      return false;
    }
  }

  #of(publication: Carrier): readonly Pull[] {
    return [...this.#pulls].filter((pull) => pull.publication === publication);
  }
}
