/** One encoding or one track, over the time since the sample before. */
export interface EncodingStats {
  readonly kind: 'audio' | 'video';
  /** Of a simulcast encoding; empty otherwise. */
  readonly rid: string;
  /** E.g. `VP8`; empty until known. */
  readonly codec: string;
  readonly bitrateBps: number;
  /** 0 for audio. */
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
}

export interface MediaStats {
  readonly bitrateBps: number;
  /** 0..1, of what was sent since the sample before; null until the other end has reported. */
  readonly lossRatio: number | null;
  readonly roundTripMs: number | null;
  /** Since the beginning. */
  readonly packets: number;
  /** Since the beginning; 0 when sending. */
  readonly framesDecoded: number;
  readonly encodings: readonly EncodingStats[];
}

interface Totals {
  readonly timeMs: number;
  readonly bytes: number;
}

/** The fields of W3C webrtc-stats that are used, each absent in some browser. */
interface Entry {
  readonly id: string;
  readonly type: string;
  readonly timestamp: number;
  readonly kind?: 'audio' | 'video';
  readonly rid?: string;
  readonly codecId?: string;
  readonly mimeType?: string;
  readonly bytesSent?: number;
  readonly bytesReceived?: number;
  readonly packetsSent?: number;
  readonly packetsReceived?: number;
  readonly packetsLost?: number;
  readonly frameWidth?: number;
  readonly frameHeight?: number;
  readonly framesPerSecond?: number;
  readonly framesDecoded?: number;
  readonly fractionLost?: number;
  readonly roundTripTime?: number;
  readonly currentRoundTripTime?: number;
  readonly state?: string;
  readonly nominated?: boolean;
}

type Report = { forEach(visit: (entry: Entry) => void): void };

/** Turns the browser's growing counters into rates, one sample after the other. */
export class MediaStatsSampler {
  readonly #type: 'inbound-rtp' | 'outbound-rtp';
  #before = new Map<string, Totals>();
  #packetsBefore = 0;
  #lostBefore = 0;

  constructor(direction: 'inbound' | 'outbound') {
    this.#type = `${direction}-rtp`;
  }

  reset(): void {
    this.#before = new Map();
    this.#packetsBefore = 0;
    this.#lostBefore = 0;
  }

  sample(report: Report): MediaStats {
    const entries: Entry[] = [];
    report.forEach((entry) => {
      entries.push(entry);
    });
    const codecs = new Map(entries.filter(({ type }) => type === 'codec').map((entry) => [entry.id, entry]));
    const flows = entries.filter(({ type }) => type === this.#type);
    const encodings = flows.map((flow) => this.#encoding(flow, codecs.get(flow.codecId ?? '')));
    this.#before = new Map(
      flows.map((flow) => [
        flow.id,
        { timeMs: flow.timestamp, bytes: flow.bytesSent ?? flow.bytesReceived ?? 0 },
      ]),
    );
    const packets = sum(flows, (flow) => flow.packetsSent ?? flow.packetsReceived ?? 0);
    return {
      bitrateBps: encodings.reduce((total, { bitrateBps }) => total + bitrateBps, 0),
      lossRatio: this.#type === 'inbound-rtp' ? this.#lossReceived(flows, packets) : lossReported(entries),
      roundTripMs: roundTripMs(entries),
      packets,
      framesDecoded: sum(flows, (flow) => flow.framesDecoded ?? 0),
      encodings,
    };
  }

  #encoding(flow: Entry, codec: Entry | undefined): EncodingStats {
    const before = this.#before.get(flow.id);
    const bytes = flow.bytesSent ?? flow.bytesReceived ?? 0;
    const elapsedMs = before ? flow.timestamp - before.timeMs : 0;
    return {
      kind: flow.kind ?? 'video',
      rid: flow.rid ?? '',
      codec: codec?.mimeType?.split('/')[1] ?? '',
      bitrateBps:
        before && elapsedMs > 0 ? Math.round((Math.max(0, bytes - before.bytes) * 8000) / elapsedMs) : 0,
      width: flow.frameWidth ?? 0,
      height: flow.frameHeight ?? 0,
      framesPerSecond: flow.framesPerSecond ?? 0,
    };
  }

  #lossReceived(flows: readonly Entry[], packets: number): number | null {
    // May go down: a packet that was counted as lost and comes late is subtracted again (RFC 3550 section 6.4.1).
    const lost = sum(flows, (flow) => flow.packetsLost ?? 0);
    const lostNow = Math.max(0, lost - this.#lostBefore);
    const expected = packets - this.#packetsBefore + lostNow;
    this.#packetsBefore = packets;
    this.#lostBefore = lost;
    return expected > 0 ? lostNow / expected : null;
  }
}

function lossReported(entries: readonly Entry[]): number | null {
  const reports = entries.filter(
    ({ type, fractionLost }) => type === 'remote-inbound-rtp' && fractionLost !== undefined,
  );
  return reports.length === 0 ? null : Math.max(...reports.map(({ fractionLost }) => fractionLost ?? 0));
}

function roundTripMs(entries: readonly Entry[]): number | null {
  const pair = entries.find(
    (entry) =>
      entry.type === 'candidate-pair' &&
      entry.state === 'succeeded' &&
      entry.currentRoundTripTime !== undefined,
  );
  const remote = entries.find((entry) => entry.roundTripTime !== undefined);
  const seconds = pair?.currentRoundTripTime ?? remote?.roundTripTime;
  return seconds === undefined ? null : seconds * 1000;
}

function sum(entries: readonly Entry[], value: (entry: Entry) => number): number {
  return entries.reduce((total, entry) => total + value(entry), 0);
}
