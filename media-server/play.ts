import type { Consumer, ConsumerStat } from 'mediasoup/types';
import type { Kind, MuteState } from '../core/channel/media.ts';
import type { SessionId } from '../core/protocol/session-id.ts';
import { answerPlay, planPlay } from '../core/sdp/index.ts';
import type { Offer, PlayPlan, PlayTrack } from '../core/sdp/types.ts';
import { allDone } from './all-done.ts';
import type { Carrier } from './carrier.ts';
import { Meter, type Traffic } from './meter.ts';
import { isPaused, receivesNothing } from './offered-activity.ts';
import { PeerTransport } from './peer-transport.ts';
import type { PipeSet, TrackSource } from './pipe.ts';
import { bringSources, releaseAll, type Source, streamChanged } from './play-source.ts';
import { roundTripMs } from './report.ts';
import type { MediaServerSettings } from './settings.ts';
import { verbatimConsume } from './verbatim-consume.ts';
import type { MediaWorker } from './worker.ts';

/**
 * A track that joins a connected transport waits this long, so that its first key frame does not come
 * before the answer that announces it.
 */
const RESUME_DELAY_MS = 50;

export interface PlayOptions {
  readonly publication: Carrier;
  readonly worker: MediaWorker;
  readonly session: SessionId;
  readonly events: boolean;
  readonly offer: Offer;
  readonly muted: MuteState;
  readonly pipes: PipeSet;
  readonly settings: Pick<MediaServerSettings, 'iceConsentTimeoutS' | 'connectTimeoutMs'>;
  readonly traffic: Traffic;
  /** What the viewer gets is one MediaStream of this id (RFC 8830), whatever the generation. */
  readonly streamId: string;
}

/** A played track: its section of the viewer's offer, where it comes from, and the consumer that sends it. */
interface PlayedTrack {
  readonly plan: PlayTrack;
  readonly source: TrackSource;
  readonly consumer: Consumer;
  /** The viewer's offer made the section inactive. */
  held: boolean;
}

/**
 * One viewer's transport and its consumers, of one publication at a time.
 *
 * A consumer ends with its producer; the play ends when its audience closes it, or with its worker. Closing
 * it lets go of what pipes brought for it, and closes the older play that it was to replace.
 */
export class Play {
  readonly session: SessionId;
  readonly worker: MediaWorker;
  readonly peer: PeerTransport;
  readonly sinceMs = Date.now();
  /** Whether the viewer's client is told of moves by events. */
  events: boolean;
  /** The viewer's earlier transport, kept until this one is connected. */
  predecessor: Play | undefined;
  readonly #options: PlayOptions;
  readonly #tracks = new Map<string, PlayedTrack>();
  readonly #meter = new Meter();
  #publication: Carrier;
  #stopWatching: () => void;
  #muted: MuteState;
  #statistics: PlayStatistics = NO_STATISTICS;
  #turn = 0;
  #resume: NodeJS.Timeout | undefined;
  #leave: NodeJS.Timeout | undefined;
  #closed = false;

  /**
   * @throws MillraceError `invalid_sdp` or `no_common_codec` for the offer, `stream_ended` when the publication
   *   closes meanwhile, and as `MediaWorker.ask`; nothing is left open then
   */
  static async open(options: PlayOptions): Promise<{ readonly play: Play; readonly sdp: string }> {
    const { offer, publication, worker } = options;
    const sources = await bringSources(options, publication);
    let play: Play | undefined;
    try {
      const plan = planPlay(
        offer,
        sources.map(({ description }) => description),
      );
      const peer = await PeerTransport.open(worker, offer, options.settings);
      const opened = new Play(options, peer);
      play = opened;
      // Nothing is sent before DTLS is up, so the tracks need not wait for the answer to be delivered.
      await Promise.all([
        peer.connect(),
        ...plan.tracks.map((track) => opened.#consume(track, sources, { paused: false })),
      ]);
      return { play: opened, sdp: opened.#answer(offer) };
    } catch (error) {
      play?.close();
      throw publication.closed ? streamChanged(error) : error;
    } finally {
      releaseAll(sources, (source) => play?.uses(source) ?? false);
    }
  }

  private constructor(options: PlayOptions, peer: PeerTransport) {
    this.session = options.session;
    this.worker = options.worker;
    this.events = options.events;
    this.peer = peer;
    this.#options = options;
    this.#muted = options.muted;
    this.#publication = options.publication;
    this.#stopWatching = options.publication.watch();
    this.worker.viewers++;
  }

  get publication(): Carrier {
    return this.#publication;
  }

  get muted(): MuteState {
    return this.#muted;
  }

  get tracks(): readonly { readonly kind: Kind }[] {
    return [...this.#tracks.values()].map(({ plan }) => plan);
  }

  /** By the last sample, some seconds old at most. */
  get statistics(): PlayStatistics {
    return this.#statistics;
  }

  /** Spatial layer sent now; null when none is, or the stream has one encoding. */
  get spatialLayer(): number | null {
    const video = this.#consumers.find(({ kind }) => kind === 'video');
    return video?.type === 'simple' ? null : (video?.currentLayers?.spatialLayer ?? null);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether it may stay for a moment only. */
  get leaving(): boolean {
    return this.#leave !== undefined;
  }

  /** Its publication was retired, or its tracks replaced: it may stay `graceMs` for its viewer to play again. */
  leaveWithin(graceMs: number, onTime: () => void): void {
    this.#leave ??= setTimeout(onTime, graceMs);
  }

  /**
   * Takes another offer of the same peer connection, for the publication that carries the stream now: tracks
   * come, go or change in place, and a new ufrag restarts ICE. Whoever was leaving stays.
   *
   * @throws as `open`; tracks that could not be changed are gone then, the others go on
   */
  async renegotiate(offer: Offer, publication: Carrier): Promise<string> {
    const sources = await bringSources({ ...this.#options, offer }, publication);
    try {
      if (this.#closed) throw streamChanged();
      const plan = receivesNothing(offer)
        ? { tracks: [] }
        : planPlay(
            offer,
            sources.map(({ description }) => description),
          );
      if (this.peer.match(offer) === 'ice_restart') await this.peer.restartIce(offer);
      const fresh = plan.tracks.filter((track) => !this.#has(track));
      for (const track of this.#tracks.values()) {
        track.held = isPaused(offer, track.plan.mid, track.plan.consumable.codecs);
        const kept = track.held || plan.tracks.some((planned) => sameTrack(planned, track.plan));
        if (!kept || track.source.producer.closed) this.#drop(track);
      }
      // All of them, also after a failure: a slower one would come to use a source that was let go of.
      await allDone(fresh.map((track) => this.#consume(track, sources, { paused: true })));
      if (this.#closed) throw streamChanged();
      this.#resume = setTimeout(() => this.#pauseAndResume().catch(() => {}), RESUME_DELAY_MS);
      this.#watch(publication);
      return this.#answer(offer);
    } catch (error) {
      throw publication.closed || this.#closed ? streamChanged(error) : error;
    } finally {
      releaseAll(sources, (source) => this.uses(source));
    }
  }

  /** For this viewer only; what comes back comes with a key frame. */
  async mute(muted: MuteState): Promise<void> {
    this.#muted = muted;
    await this.#pauseAndResume();
  }

  /** Asks the worker for statistics of the transport and, in turns, of one consumer. Never throws. */
  async sample(): Promise<void> {
    if (this.#closed) return;
    try {
      const consumer = this.#consumers[this.#turn++ % Math.max(1, this.#consumers.length)];
      const [[transport], stats] = await Promise.all([
        this.worker.ask('reading statistics', this.peer.transport.getStats()),
        consumer ? this.worker.ask('reading statistics', consumer.getStats()) : [],
      ]);
      const { traffic } = this.#options;
      // The second entry, if any, is the producer's.
      const [sent] = stats;
      if (sent) {
        traffic.sentPackets += this.#meter.growth(`packets ${sent.ssrc}`, (sent as ConsumerStat).packetCount);
      }
      if (!transport) return;
      traffic.sentBytes += this.#meter.growth('bytes', transport.rtpBytesSent);
      this.#statistics = {
        bitrateBps: transport.rtpSendBitrate,
        availableBitrateBps: transport.availableOutgoingBitrate ?? null,
        lossRatio: transport.rtpPacketLossSent ?? 0,
        roundTripMs: (sent && roundTripMs([sent])) ?? this.#statistics.roundTripMs,
      };
    } catch {
      // Closed meanwhile, or the worker is gone: the last sample stands until the play goes too.
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#resume);
    clearTimeout(this.#leave);
    this.worker.viewers--;
    this.peer.close();
    this.predecessor?.close();
    this.#stopWatching();
  }

  /** Whether a track of this play comes from the source. */
  uses(source: TrackSource): boolean {
    return [...this.#tracks.values()].some((track) => track.source === source);
  }

  get #consumers(): readonly Consumer[] {
    return [...this.#tracks.values()].map(({ consumer }) => consumer);
  }

  async #consume(
    plan: PlayTrack,
    sources: readonly Source[],
    { paused }: { readonly paused: boolean },
  ): Promise<void> {
    const source = sources.find(({ producer }) => producer.id === plan.producerId);
    if (!source || source.producer.closed) throw streamChanged();
    const consumer = await this.worker.ask(
      'sending a track',
      verbatimConsume(this.peer.transport, source.producer, plan, {
        paused: paused || this.#muted[plan.kind],
      }),
    );
    if (this.#closed) throw streamChanged();
    this.#tracks.set(plan.mid, { plan, source, consumer, held: false });
    consumer.observer.once('close', () => {
      source.release();
      if (this.#tracks.get(plan.mid)?.consumer === consumer) this.#tracks.delete(plan.mid);
    });
  }

  #drop({ plan, consumer }: PlayedTrack): void {
    consumer.close();
    this.#tracks.delete(plan.mid);
  }

  #has(track: PlayTrack): boolean {
    const current = this.#tracks.get(track.mid);
    return current !== undefined && sameTrack(current.plan, track);
  }

  #watch(publication: Carrier): void {
    clearTimeout(this.#leave);
    this.#leave = undefined;
    if (publication === this.#publication) return;
    const leave = this.#stopWatching;
    this.#publication = publication;
    this.#stopWatching = publication.watch();
    leave();
  }

  /** Lets each consumer send or not, as mutes and the viewer's own directions say. */
  async #pauseAndResume(): Promise<void> {
    await Promise.all(
      [...this.#tracks.values()].map(({ consumer, held }) => {
        const paused = held || this.#muted[consumer.kind];
        if (consumer.paused === paused) return undefined;
        return this.worker.ask('muting a track', paused ? consumer.pause() : consumer.resume());
      }),
    );
  }

  #answer(offer: Offer): string {
    const { streamId } = this.#options;
    const tracks = [...this.#tracks.values()];
    const plan: PlayPlan = { tracks: tracks.map((track) => track.plan) };
    const played = tracks.map(({ plan: { mid }, consumer: { rtpParameters } }) => ({
      mid,
      streamId,
      rtpParameters,
    }));
    return answerPlay(offer, plan, this.peer.description, played, this.peer.nextAnswer());
  }
}

/** Apart from the codecs' and extensions' numbers, the plan names the producer, so its generation too. */
function sameTrack(a: PlayTrack, b: PlayTrack): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What the worker's statistics said of a play when they were last read. */
export interface PlayStatistics {
  readonly bitrateBps: number;
  readonly availableBitrateBps: number | null;
  readonly lossRatio: number;
  readonly roundTripMs: number | null;
}

const NO_STATISTICS: PlayStatistics = {
  bitrateBps: 0,
  availableBitrateBps: null,
  lossRatio: 0,
  roundTripMs: null,
};
