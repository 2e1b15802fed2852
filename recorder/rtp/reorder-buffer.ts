import { Lateness } from './lateness.ts';
import type { RtpPacket } from './packet.ts';
import { nearest16 } from './wrap.ts';

/** A packet in its sender's order. */
export interface OrderedPacket {
  readonly packet: RtpPacket;
  readonly atMs: number;
  /** Packets between the one before and this one never came, or the sender began anew. */
  readonly lostBefore: boolean;
}

export interface ReorderLimits {
  /** How long a missing packet is waited for at least, from the arrival of the first one behind it. */
  readonly holdMs: number;
  /** The same at most, where packets are seen to come that late. */
  readonly maxHoldMs: number;
  readonly maxPackets: number;
  readonly maxBytes: number;
}

/** What is held that long is flushed no later than what is not: within a second of its arrival. */
export const REORDER_LIMITS: ReorderLimits = {
  holdMs: 400,
  maxHoldMs: 800,
  maxPackets: 2048,
  maxBytes: 8 * 2 ** 20,
};

/** Further ahead or behind than any reordering: another sequence (RFC 3550 appendix A.1 has 3000). */
const MAX_JUMP = 4096;
/** Two packets this close to each other make a far sequence believed. */
const NEIGHBOURS = 64;
/** Packets in a row from behind are a sender that began anew there, when nothing else came for `STALE_MS`. */
const STALE_RUN = 3;
const STALE_MS = 2000;

interface Held {
  readonly packet: RtpPacket;
  readonly atMs: number;
}

/**
 * Puts the packets of one SSRC in order. A packet whose predecessors are there leaves at once; one that is
 * missing is given up after the hold, or when the buffer is full. Duplicates and late packets are dropped. The
 * hold grows with how late packets come, which is what asking again for a lost one takes on this network.
 */
export class ReorderBuffer {
  readonly #limits: ReorderLimits;
  /** By unwrapped sequence number, in order of arrival: the first is the oldest. */
  readonly #held = new Map<number, Held>();
  #heldBytes = 0;
  /** Unwrapped sequence number of the next packet to leave. */
  #next: number | undefined;
  #lost = false;
  readonly #lateness: Lateness;
  #acceptedAtMs = 0;
  /** The last packet from far away, or from behind. */
  #stray: { readonly sequenceNumber: number; readonly held: Held; readonly run: number } | undefined;

  constructor(limits: ReorderLimits = REORDER_LIMITS) {
    this.#limits = limits;
    this.#lateness = new Lateness(limits);
  }

  /** Packets that wait; never more than `maxPackets`. */
  get size(): number {
    return this.#held.size;
  }

  get bytes(): number {
    return this.#heldBytes;
  }

  push(packet: RtpPacket, atMs: number): OrderedPacket[] {
    const out: OrderedPacket[] = [];
    this.#next ??= packet.sequenceNumber;
    const sequence = nearest16(packet.sequenceNumber, this.#next);
    const ahead = sequence - this.#next;
    if (ahead < 0 || ahead > MAX_JUMP) this.#meetStray(packet, ahead, atMs, out);
    else this.#accept(sequence, { packet, atMs }, out);
    this.#giveUpOld(atMs, out);
    return out;
  }

  /** Gives up what is missing for too long. */
  tick(atMs: number): OrderedPacket[] {
    const out: OrderedPacket[] = [];
    this.#giveUpOld(atMs, out);
    return out;
  }

  /** Gives up everything that is missing: nothing waits any more. */
  drain(): OrderedPacket[] {
    const out: OrderedPacket[] = [];
    while (this.#held.size > 0) this.#skipHole(out);
    return out;
  }

  #accept(sequence: number, held: Held, out: OrderedPacket[]): void {
    if (this.#held.has(sequence)) return;
    for (const [other, { atMs }] of this.#held) {
      if (other < sequence) continue;
      this.#lateness.came(held.atMs - atMs, held.atMs);
      break;
    }
    this.#acceptedAtMs = held.atMs;
    this.#stray = undefined;
    this.#held.set(sequence, held);
    this.#heldBytes += held.packet.payload.length;
    this.#release(out);
    while (this.#held.size > this.#limits.maxPackets || this.#heldBytes > this.#limits.maxBytes) {
      this.#skipHole(out);
    }
  }

  #release(out: OrderedPacket[]): void {
    if (this.#next === undefined) return;
    for (;;) {
      const held = this.#held.get(this.#next);
      if (held === undefined) return;
      this.#held.delete(this.#next);
      this.#heldBytes -= held.packet.payload.length;
      this.#next += 1;
      out.push({ ...held, lostBefore: this.#lost });
      this.#lost = false;
    }
  }

  /** Only when packets are held, all of which are ahead of the hole. */
  #skipHole(out: OrderedPacket[]): void {
    if (this.#next === undefined) return;
    const oldest = this.#held.values().next().value;
    while (!this.#held.has(this.#next)) {
      if (oldest !== undefined) this.#lateness.gaveUp(this.#next, oldest.atMs);
      this.#next += 1;
    }
    this.#lost = true;
    this.#release(out);
  }

  #giveUpOld(atMs: number, out: OrderedPacket[]): void {
    const holdMs = this.#lateness.holdMs(atMs);
    for (;;) {
      const oldest = this.#held.values().next();
      if (oldest.done || atMs - oldest.value.atMs < holdMs) return;
      this.#skipHole(out);
    }
  }

  /** Late packets and damaged numbers come alone; a sender that began anew goes on where it began. */
  #meetStray(packet: RtpPacket, ahead: number, atMs: number, out: OrderedPacket[]): void {
    const last = this.#stray;
    const late = ahead < 0 && ahead >= -MAX_JUMP;
    if (late) this.#lateness.cameTooLate((this.#next ?? 0) + ahead, atMs);
    const distance =
      last === undefined
        ? Number.POSITIVE_INFINITY
        : nearest16(packet.sequenceNumber, last.sequenceNumber) - last.sequenceNumber;
    if (distance === 0) return;
    const run = (late ? distance === 1 : Math.abs(distance) <= NEIGHBOURS) ? (last?.run ?? 0) + 1 : 1;
    this.#stray = { sequenceNumber: packet.sequenceNumber, held: { packet, atMs }, run };
    const believed = late ? run >= STALE_RUN && atMs - this.#acceptedAtMs >= STALE_MS : run >= 2;
    if (!believed || last === undefined) return;
    out.push(...this.drain());
    this.#lost = true;
    const first = Math.min(last.sequenceNumber, last.sequenceNumber + distance);
    this.#next = first;
    this.#accept(last.sequenceNumber, last.held, out);
    this.#accept(last.sequenceNumber + distance, { packet, atMs }, out);
  }
}
