import type { PeerTransport } from './peer-transport.ts';

/**
 * How a stream leaves this media server for another one: its publisher is asked to publish it there, and once
 * that is connected, viewers follow.
 */
export class Departure {
  readonly #overlapMs: number;
  #begun = false;
  #handedOver = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param overlapMs how long what is here is kept once it is elsewhere */
  constructor(overlapMs: number) {
    this.#overlapMs = overlapMs;
  }

  /** The publisher was asked. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Another media server carries it. */
  get handedOver(): boolean {
    return this.#handedOver;
  }

  /**
   * Asks a publisher to publish elsewhere, again if need be. One whose client has no events, or that is lost, has
   * to see its transport close.
   * @returns whether it is to be told by an event
   */
  ask(peer: Pick<PeerTransport, 'state' | 'close'>, events: boolean): boolean {
    this.#begun = true;
    const told = events && peer.state !== 'lost';
    if (!told) peer.close();
    return told;
  }

  /**
   * Somebody else holds the stream: its publisher, on its way to connect there.
   * @param onLate called when nobody has said meanwhile that it is connected
   */
  expectHandOver(onLate: () => void): void {
    if (!this.#handedOver) this.#timer ??= setTimeout(onLate, this.#overlapMs);
  }

  /** @param onOver called when all have had their time to follow */
  handOver(onOver: () => void): void {
    this.#handedOver = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(onOver, this.#overlapMs);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
