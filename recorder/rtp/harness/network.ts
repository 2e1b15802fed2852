import type { ArrivingPacket } from './capture.ts';

/** What a network does to packets; each keeps their number of arrival times in order. */

export function lose(
  packets: readonly ArrivingPacket[],
  ratio: number,
  random: () => number,
): ArrivingPacket[] {
  return packets.filter(() => random() >= ratio);
}

/** Every packet is late by up to `jitterMs`, and so overtakes and is overtaken. */
export function jitter(
  packets: readonly ArrivingPacket[],
  jitterMs: number,
  random: () => number,
): ArrivingPacket[] {
  return packets
    .map(({ packet, atMs }) => ({ packet, atMs: atMs + random() * jitterMs }))
    .sort((one, other) => one.atMs - other.atMs);
}

export function duplicate(
  packets: readonly ArrivingPacket[],
  ratio: number,
  random: () => number,
): ArrivingPacket[] {
  return packets.flatMap((arriving) => (random() < ratio ? [arriving, arriving] : [arriving]));
}
