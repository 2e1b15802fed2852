import type { Producer, ProducerStat } from 'mediasoup/types';
import type { MuteState, Track } from '../core/channel/media.ts';
import type { SessionId } from '../core/protocol/session-id.ts';
import { answerPublish, planPublish } from '../core/sdp/index.ts';
import type { Offer, PublishPlan, PublishTrack } from '../core/sdp/types.ts';
import { bitrateLimit } from './bitrate-limit.ts';
import type { Carrier, TrackChange } from './carrier.ts';
import { Meter, type Traffic } from './meter.ts';
import { isPaused, sendsNothing } from './offered-activity.ts';
import { PeerTransport } from './peer-transport.ts';
import { Pulse } from './pulse.ts';
import {
  type EncodingReport,
  encodingReports,
  lossRatio,
  packetCount,
  roundTripMs,
  totalBitrate,
  totalBytes,
} from './report.ts';
import type { MediaServerSettings } from './settings.ts';
import type { MediaWorker } from './worker.ts';

/**
 * Browsers ignore a request that comes within 300 ms of the one before, and the worker repeats what was
 * ignored only after a second. So requests keep a distance; it delays no viewer that joins alone.
 */
const KEY_FRAME_REQUEST_DELAY_MS = 400;

type Settings = Pick<
  MediaServerSettings,
  'codecs' | 'connectTimeoutMs' | 'defaultBitrateBps' | 'iceConsentTimeoutS' | 'maxBitrateBps' | 'mediaIdleMs'
>;

export interface PublicationOptions {
  readonly worker: MediaWorker;
  readonly session: SessionId;
  readonly epoch: number;
  readonly offer: Offer;
  /** Absent or 0 = the default. */
  readonly maxBitrateBps: number | undefined;
  readonly muted: MuteState;
  readonly settings: Settings;
  readonly traffic: Traffic;
}

/** A published track: its section of the offer, and the producer that receives it. */
interface PublishedTrack {
  readonly plan: PublishTrack;
  readonly producer: Producer;
}

/**
 * One generation of a stream: one publisher's transport and its producers. A consumer cannot change its
 * producer, so viewers move from one publication to the next by playing again.
 *
 * Closing it closes its producers, in the worker and by it those that pipes made of them; then the consumers
 * of all. Its stream closes it, or its worker dies; a transport that is lost stays until the stream decides.
 */
export class Publication implements Carrier {
  readonly worker: MediaWorker;
  readonly session: SessionId;
  readonly peer: PeerTransport;
  readonly sinceMs = Date.now();
  /** Grows when the same session claims the stream anew. */
  epoch: number;
  /** A newer publication took its place; it stays for viewers that need a moment to follow. */
  retired = false;
  readonly #settings: Settings;
  readonly #traffic: Traffic;
  readonly #meter = new Meter();
  readonly #tracks = new Map<string, PublishedTrack>();
  readonly #pulse: Pulse;
  #muted: MuteState;
  #maxBitrateBps = 0;
  #statistics: PublicationStatistics = NO_STATISTICS;
  #watchers = 0;
  #onLeft: () => void = () => {};
  #closed = false;

  /**
   * @throws MillraceError `invalid_sdp` or `no_common_codec` for the offer, and as `MediaWorker.ask`; nothing
   *   is left open then
   */
  static async open(options: PublicationOptions): Promise<{ publication: Publication; sdp: string }> {
    const plan = planPublish(options.offer, planOptions(options.worker, options.settings));
    const peer = await PeerTransport.open(options.worker, options.offer, options.settings);
    const publication = new Publication(options, peer);
    try {
      await Promise.all([
        peer.connect(),
        publication.#limitBitrate(options.maxBitrateBps),
        ...plan.tracks.map((track) => publication.#produce(track)),
      ]);
      return { publication, sdp: publication.#answer(options.offer) };
    } catch (error) {
      publication.close();
      throw error;
    }
  }

  private constructor(options: PublicationOptions, peer: PeerTransport) {
    this.worker = options.worker;
    this.session = options.session;
    this.epoch = options.epoch;
    this.peer = peer;
    this.#settings = options.settings;
    this.#traffic = options.traffic;
    this.#muted = options.muted;
    this.#pulse = new Pulse(Date.now());
    this.worker.streams++;
  }

  get tracks(): readonly Track[] {
    return [...this.#tracks.values()].map(({ plan: { kind, codec, rtpParameters } }) => ({
      kind,
      codec,
      encodings: rtpParameters.encodings?.length ?? 1,
    }));
  }

  get generation(): string {
    return this.peer.transport.id;
  }

  get producers(): readonly PublishedTrack[] {
    return [...this.#tracks.values()];
  }

  get muted(): MuteState {
    return this.#muted;
  }

  /** By the last sample, some seconds old at most. */
  get statistics(): PublicationStatistics {
    return this.#statistics;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Told by its stream: from now on media is expected. */
  connected(): void {
    this.#pulse.connected(Date.now());
  }

  /** Whether it is connecting, or media arrived at the last sample. */
  get seemsLive(): boolean {
    if (this.peer.state !== 'connected') return this.peer.state === 'connecting';
    return this.#allMuted || !this.#pulse.missing;
  }

  /** Whether it is connecting, or media arrived within `mediaIdleMs`; for that the worker is asked now. */
  async isLive(): Promise<boolean> {
    await this.sample();
    if (this.peer.state !== 'connected') return this.peer.state === 'connecting';
    return this.#allMuted || this.#pulse.silentMs(Date.now()) < this.#settings.mediaIdleMs;
  }

  /**
   * Takes another offer of the same peer connection: tracks come, go or change in place, and a new ufrag
   * restarts ICE. A section that only pauses (inactive) keeps its producer, and viewers keep their consumers.
   *
   * @throws as `open`; tracks that could not be changed are gone then, the others go on
   */
  async renegotiate(
    offer: Offer,
    maxBitrateBps: number | undefined,
  ): Promise<{ readonly sdp: string; readonly change: TrackChange }> {
    const plan = sendsNothing(offer)
      ? { tracks: [] }
      : planPublish(offer, planOptions(this.worker, this.#settings));
    if (this.peer.match(offer) === 'ice_restart') await this.peer.restartIce(offer);
    const before = new Set(this.tracks.map(({ kind }) => kind));
    const fresh = plan.tracks.filter((track) => !this.#has(track));
    for (const { plan: track, producer } of this.producers) {
      // A stream has one track of a kind: a new one takes the place of the old, whatever its section.
      const replaced = fresh.some(({ kind }) => kind === track.kind);
      const kept =
        plan.tracks.some(({ mid }) => mid === track.mid) ||
        isPaused(offer, track.mid, track.rtpParameters.codecs);
      if (replaced || !kept) this.#drop(track.mid, producer);
    }
    await Promise.all([this.#limitBitrate(maxBitrateBps), ...fresh.map((track) => this.#produce(track))]);
    return {
      sdp: this.#answer(offer),
      change: {
        added: fresh.some(({ kind }) => !before.has(kind)),
        replaced: fresh.some(({ kind }) => before.has(kind)),
      },
    };
  }

  /** Stops the muted kinds here, for all viewers; a kind that comes back comes with a key frame. */
  async mute(muted: MuteState): Promise<void> {
    this.#muted = muted;
    await Promise.all(
      this.producers.map(({ producer }) => {
        if (muted[producer.kind] === producer.paused) return undefined;
        return this.worker.ask('muting a track', muted[producer.kind] ? producer.pause() : producer.resume());
      }),
    );
  }

  /** Asks the worker for statistics, for reports and metrics. Never throws. */
  async sample(): Promise<void> {
    if (this.#closed) return;
    try {
      const stats = await Promise.all(
        this.producers.map(({ producer }) => this.worker.ask('reading statistics', producer.getStats())),
      );
      this.#statistics = this.#read(stats.flat());
    } catch {
      // Closed meanwhile, or the worker is gone: the last sample stands until the publication goes too.
    }
  }

  /** Plays of it, on its worker or through a pipe. */
  get watchers(): number {
    return this.#watchers;
  }

  /** @returns the way to stop watching */
  watch(): () => void {
    this.#watchers++;
    let watching = true;
    return () => {
      if (!watching) return;
      watching = false;
      if (--this.#watchers === 0) this.#onLeft();
    };
  }

  /** Called whenever the last of its watchers left. */
  onLeft(listener: () => void): void {
    this.#onLeft = listener;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.worker.streams--;
    this.peer.close();
  }

  async #produce(track: PublishTrack): Promise<void> {
    const producer = await this.worker.ask(
      'receiving a track',
      this.peer.transport.produce({
        kind: track.kind,
        rtpParameters: track.rtpParameters,
        paused: this.#muted[track.kind],
        keyFrameRequestDelay: KEY_FRAME_REQUEST_DELAY_MS,
      }),
    );
    this.#tracks.set(track.mid, { plan: track, producer });
    // A mute that came while the producer was being made went past it.
    if (producer.paused !== this.#muted[track.kind]) await this.mute(this.#muted);
  }

  #drop(mid: string, producer: Producer): void {
    this.#tracks.delete(mid);
    producer.close();
  }

  /** Whether the track is received already, with all its numbers the same. */
  #has(track: PublishTrack): boolean {
    const current = this.#tracks.get(track.mid);
    return current !== undefined && JSON.stringify(current.plan) === JSON.stringify(track);
  }

  async #limitBitrate(wantedBps: number | undefined): Promise<void> {
    const limitBps = bitrateLimit(wantedBps, this.#settings);
    if (limitBps === this.#maxBitrateBps) return;
    this.#maxBitrateBps = limitBps;
    await this.worker.ask('limiting a bitrate', this.peer.transport.setMaxIncomingBitrate(limitBps));
  }

  #answer(offer: Offer): string {
    const plan: PublishPlan = { tracks: this.producers.map((track) => track.plan) };
    return answerPublish(offer, plan, this.peer.description, {
      ...this.peer.nextAnswer(),
      maxBitrateBps: this.#maxBitrateBps,
    });
  }

  get #allMuted(): boolean {
    return this.producers.length > 0 && this.producers.every(({ producer }) => producer.paused);
  }

  #read(stats: readonly ProducerStat[]): PublicationStatistics {
    for (const { ssrc, byteCount, packetCount } of stats) {
      this.#traffic.receivedBytes += this.#meter.growth(`bytes ${ssrc}`, byteCount);
      this.#traffic.receivedPackets += this.#meter.growth(`packets ${ssrc}`, packetCount);
    }
    const bitrateBps = totalBitrate(stats);
    this.#pulse.counted(totalBytes(stats), bitrateBps, Date.now());
    const packets = packetCount(stats);
    return {
      bitrateBps,
      encodings: encodingReports(stats),
      packets,
      lossRatio: lossRatio(this.#statistics.packets, packets),
      roundTripMs: roundTripMs(stats),
    };
  }
}

/** What the worker's statistics said of a publication when they were last read. */
export interface PublicationStatistics {
  readonly bitrateBps: number;
  readonly encodings: readonly EncodingReport[];
  readonly packets: { readonly received: number; readonly lost: number };
  readonly lossRatio: number;
  readonly roundTripMs: number | null;
}

const NO_STATISTICS: PublicationStatistics = {
  bitrateBps: 0,
  encodings: [],
  packets: { received: 0, lost: 0 },
  lossRatio: 0,
  roundTripMs: null,
};

function planOptions(worker: MediaWorker, settings: Settings) {
  return { codecs: settings.codecs, router: worker.router.rtpCapabilities };
}
