import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** What becomes of packets on their way, each direction alike. */
export interface Weather {
  /** Share of the packets that never arrive, 0 to 1. */
  readonly loss?: number;
  /** Share of the packets that those of 50 ms after overtake. */
  readonly reordering?: number;
  /** Each packet is under way for a time of its own up to this; they overtake each other. */
  readonly jitterMs?: number;
}

export interface Address {
  readonly ip: string;
  readonly port: number;
}

/** Long enough for several others to overtake a late packet. */
const LATE_MS = 50;
const LOOPBACK = '127.0.0.1';
const BUFFER_BYTES = 4 * 1024 * 1024;

/** Stands between two ends of UDP that know each other's addresses: each takes it for the other. */
export class UdpRelay {
  readonly counts = { passed: 0, lost: 0, late: 0 };
  readonly #left: Socket;
  readonly #right: Socket;
  readonly #weather: Weather;
  readonly #random: () => number;
  readonly #underWay = new Set<NodeJS.Timeout>();
  readonly #ends: { left?: Address; right?: Address } = {};

  static async open(weather: Weather, seed: number): Promise<UdpRelay> {
    const sockets = [0, 1].map(() => createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES }));
    const [left, right] = sockets as [Socket, Socket];
    for (const socket of [left, right]) {
      socket.bind(0, LOOPBACK);
      await once(socket, 'listening');
    }
    return new UdpRelay(left, right, weather, seededRandom(seed));
  }

  private constructor(left: Socket, right: Socket, weather: Weather, random: () => number) {
    this.#left = left;
    this.#right = right;
    this.#weather = weather;
    this.#random = random;
    left.on('message', (packet) => this.#carry(packet, right, 'right'));
    right.on('message', (packet) => this.#carry(packet, left, 'left'));
  }

  /** Where the left end sends what is for the right one. */
  get forLeft(): Address {
    return { ip: LOOPBACK, port: this.#left.address().port };
  }

  get forRight(): Address {
    return { ip: LOOPBACK, port: this.#right.address().port };
  }

  join(side: 'left' | 'right', { ip, port }: Address): void {
    this.#ends[side] = { ip, port };
  }

  close(): void {
    for (const timer of this.#underWay) clearTimeout(timer);
    this.#underWay.clear();
    this.#left.close();
    this.#right.close();
  }

  #carry(packet: Buffer, from: Socket, to: 'left' | 'right'): void {
    const { loss = 0, reordering = 0, jitterMs = 0 } = this.#weather;
    const end = this.#ends[to];
    if (end === undefined) return;
    // Always three of them, that the weather of one kind does not change another's.
    const [lost, late, jitter] = [this.#random(), this.#random(), this.#random()];
    if (lost < loss) {
      this.counts.lost += 1;
      return;
    }
    this.counts.passed += 1;
    if (late < reordering) this.counts.late += 1;
    const delayMs = jitter * jitterMs + (late < reordering ? LATE_MS : 0);
    const send = () => from.send(packet, end.port, end.ip, () => {});
    if (delayMs === 0) {
      send();
      return;
    }
    const timer = setTimeout(() => {
      this.#underWay.delete(timer);
      send();
    }, delayMs);
    this.#underWay.add(timer);
  }
}

/** Mulberry32: the same numbers, from 0 to below 1, for the same seed. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
