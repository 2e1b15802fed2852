import type { ConsumerStat, ProducerStat } from 'mediasoup/types';

/** Packets of one encoding, as counted since it began. */
export interface PacketCount {
  readonly received: number;
  readonly lost: number;
}

export interface EncodingReport {
  readonly rid: string;
  readonly bitrateBps: number;
}

/** Bitrate of each video encoding, lowest first; the encoding of a stream without simulcast has the rid ''. */
export function encodingReports(stats: readonly ProducerStat[]): readonly EncodingReport[] {
  return stats
    .filter(({ kind }) => kind === 'video')
    .map(({ rid, bitrate }) => ({ rid: rid ?? '', bitrateBps: bitrate }))
    .sort((a, b) => a.bitrateBps - b.bitrateBps);
}

export function totalBitrate(stats: readonly Pick<ProducerStat, 'bitrate'>[]): number {
  return stats.reduce((sum, { bitrate }) => sum + bitrate, 0);
}

export function totalBytes(stats: readonly Pick<ProducerStat, 'byteCount'>[]): number {
  return stats.reduce((sum, { byteCount }) => sum + byteCount, 0);
}

export function packetCount(stats: readonly ProducerStat[]): PacketCount {
  return {
    received: stats.reduce((sum, stat) => sum + stat.packetCount, 0),
    lost: stats.reduce((sum, { packetsLost }) => sum + packetsLost, 0),
  };
}

/** Share of the packets between two counts that were lost and not repaired, 0..1. */
export function lossRatio(before: PacketCount, now: PacketCount): number {
  // A retransmission that came after all takes a loss back.
  const lost = Math.max(0, now.lost - before.lost);
  const received = Math.max(0, now.received - before.received);
  return lost === 0 ? 0 : lost / (lost + received);
}

/** The longest round trip that was measured; null when the peer sends no reports to measure it by. */
export function roundTripMs(
  stats: readonly Pick<ProducerStat | ConsumerStat, 'roundTripTime'>[],
): number | null {
  const measured = stats.flatMap(({ roundTripTime }) => (roundTripTime ? [roundTripTime] : []));
  return measured.length === 0 ? null : Math.round(Math.max(...measured));
}
