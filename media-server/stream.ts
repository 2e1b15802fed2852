import type { Logger } from 'pino';
import type {
  EndReason,
  MuteRequest,
  MuteState,
  PlayReport,
  PublishReply,
  PublishRequest,
  StreamReport,
} from '../core/channel/media.ts';
import { chooseWorker } from '../core/placement/worker.ts';
import { MillraceError } from '../core/protocol/error.ts';
import type { SessionId } from '../core/protocol/session-id.ts';
import type { StreamName } from '../core/protocol/stream-name.ts';
import { parseOffer } from '../core/sdp/index.ts';
import type { Offer } from '../core/sdp/types.ts';
import { Audience } from './audience.ts';
import { Departure } from './departure.ts';
import { Generations } from './generations.ts';
import { mutedAfter, reportedMute, UNMUTED } from './mute.ts';
import { endOfPlay, mayPublish, type Opening } from './ownership.ts';
import type { PeerState } from './peer-transport.ts';
import { Publication } from './publication.ts';
import type { Sampled } from './sampler.ts';
import type { StreamContext } from './stream-context.ts';
import { alreadyPublished, draining, endedMeanwhile, notPublishing } from './stream-error.ts';
import { playReports, streamReport } from './stream-report.ts';

/**
 * A stream: who publishes it, in one or for a moment more generations, and who watches.
 *
 * Epoch means ownership and changes with the session that publishes; generation means transport and changes
 * with the publisher's peer connection. Of the generations the last is the owner's newest. An older one
 * stays until that is connected, at most `generationOverlapMs`; then it is retired: it is joined no more,
 * and goes when the last of its plays has moved or was given up.
 *
 * The stream ends with its last generation: closed by its publisher or an operator, given up because its
 * transport stayed lost, or dead with its worker. Its plays end with it, and `onEnded` is told.
 *
 * Calls that change the publisher's side come one after the other; those of the audience, one after the
 * other for each session.
 */
export class Stream {
  readonly name: StreamName;
  readonly audience: Audience;
  readonly #context: StreamContext;
  readonly #log: Logger;
  readonly #onEnded: (stream: Stream) => void;
  readonly #generations = new Generations();
  #sinceMs = Date.now();
  #epoch = 0;
  #opening: Opening | undefined;
  #ended = false;
  #events = false;
  readonly #departure: Departure;

  /** Token subject of who publishes. */
  subject = '';

  constructor(name: StreamName, context: StreamContext, onEnded: (stream: Stream) => void) {
    this.name = name;
    this.#context = context;
    this.#log = context.log.child({ stream: name });
    this.#onEnded = onEnded;
    this.#departure = new Departure(context.settings.generationOverlapMs);
    this.audience = new Audience(name, context, () => this.#carrier());
  }

  /** Highest epoch that has published here; 0 before the first. */
  get epoch(): number {
    return this.#epoch;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** All that statistics are read of. */
  *sampled(): Iterable<Sampled> {
    yield* this.#generations;
    yield* this.audience.plays;
  }

  isPublishedBy(session: SessionId): boolean {
    return this.#generations.of(session).some(({ retired }) => !retired);
  }

  /**
   * Begins a generation, or changes the session's own in place.
   *
   * @throws MillraceError `stream_already_published` for an older epoch, or another session's; `invalid_sdp`,
   *   `no_common_codec`, `no_media_server`, `stream_ended` when the generation that was to change is gone
   */
  async publish(request: PublishRequest): Promise<PublishReply> {
    const { newest } = this.#generations;
    if (newest && !mayPublish(request, newest)) throw alreadyPublished(this.name);
    const offer = parseOffer(request.sdp);
    if (!newest || newest.session !== request.session || newest.peer.match(offer) === 'another_peer') {
      if (this.#departure.begun) throw draining();
      this.#events = request.events ?? false;
      return this.#begin(request, offer);
    }
    this.#events = request.events ?? false;
    const { sdp, change } = await newest.renegotiate(offer, request.maxBitrateBps).catch((error: unknown) => {
      throw newest.closed ? endedMeanwhile(this.name, error) : error;
    });
    newest.epoch = request.epoch;
    this.#epoch = request.epoch;
    this.audience.tracksChanged(newest, change);
    this.#log.info({ session: request.session, ...change }, 'publication renegotiated');
    return { sdp, tracks: newest.tracks };
  }

  /** Mutes the publication for everybody. @throws MillraceError `stream_not_found` when the session has none */
  async mute(request: MuteRequest): Promise<MuteState> {
    const own = this.#generations.of(request.session);
    const newest = own.at(-1);
    if (!newest) throw notPublishing(this.name);
    const muted = mutedAfter(newest.muted, request, newest.tracks);
    await Promise.all(own.map((publication) => publication.mute(muted)));
    this.#log.info({ session: request.session, muted }, 'publication muted');
    return reportedMute(muted, newest.tracks);
  }

  /** Ends what the session publishes here. @returns whether there was something */
  unpublish(session: SessionId, reason: 'closed' | 'session_ended'): boolean {
    const own = this.#generations.of(session);
    this.#drop(own, reason);
    return own.length > 0;
  }

  /** Ends the stream, whoever publishes it. */
  end(reason: EndReason): void {
    this.#drop([...this.#generations], reason);
  }

  /**
   * Asks the publisher to publish elsewhere; asked again, it is reminded. Viewers stay until it does. Without events
   * it has to see its transport close, and gets as long to come back as a generation overlaps the next.
   */
  depart(): void {
    const { newest } = this.#generations;
    // Closed: without events it was asked so before.
    if (!newest || this.#ended || this.#departure.handedOver || newest.peer.state === 'closed') return;
    if (this.#departure.ask(newest.peer, this.#events)) {
      const { session, epoch } = newest;
      this.#context.notify({ type: 'publish.moved', stream: this.name, session, epoch });
    } else {
      this.#waitForPublisher(newest, this.#context.settings.generationOverlapMs, 'media_server_lost');
    }
  }

  /** Another media server carries it, by this epoch: viewers follow it there. */
  handOver(epoch: number): void {
    if (this.#ended || this.#departure.handedOver || epoch <= this.#epoch) return;
    this.#departure.handOver(() => this.end('displaced'));
    this.#log.info({ epoch }, 'stream handed over to another media server');
    for (const each of [...this.#generations]) if (!each.retired) this.#retire(each, epoch);
    this.#endIfLeft();
  }

  /** The registry says that somebody else holds it; if that is its publisher on its way, viewers wait for it. */
  displaced(): void {
    if (this.#departure.begun) this.#departure.expectHandOver(() => this.handOver(Number.MAX_SAFE_INTEGER));
    else this.end('displaced');
  }

  /** With statistics of this moment. */
  async report(): Promise<StreamReport | null> {
    const newest = this.#current;
    return newest ? this.#report(newest, await newest.isLive()) : null;
  }

  /** As the worker last said, without asking it. */
  glance(): StreamReport | null {
    return this.#current ? this.#report(this.#current, this.#current.seemsLive) : null;
  }

  playReports(): readonly PlayReport[] {
    return playReports(this.name, this.audience.plays);
  }

  #carrier(): Publication {
    const { carrier } = this.#generations;
    if (!carrier) throw new MillraceError('stream_ended', `the stream "${this.name}" has just ended`);
    return carrier;
  }

  async #begin(request: PublishRequest, offer: Offer): Promise<PublishReply> {
    const worker = chooseWorker(this.#context.pool.workers, undefined, Math.random);
    if (!worker) throw new MillraceError('no_media_server', 'no media worker is alive; try again');
    const { session, epoch, maxBitrateBps } = request;
    const { settings, traffic } = this.#context;
    const muted = this.#generations.of(session).at(-1)?.muted ?? UNMUTED;
    const opening: Opening = { epoch };
    this.#opening = opening;
    try {
      const options = { worker, session, epoch, offer, maxBitrateBps, muted, settings, traffic };
      const { publication, sdp } = await Publication.open(options);
      this.#add(publication);
      return { sdp, tracks: publication.tracks };
    } finally {
      this.#opening = undefined;
      // The older generation may have gone while this one failed.
      if (opening.ended && !this.#isOwned(epoch)) this.#tellEnded(session, epoch, opening.ended);
      this.#endIfNotOwned(opening.ended ?? 'media_server_lost');
    }
  }

  #add(publication: Publication): void {
    const { session, epoch, worker, peer, tracks } = publication;
    // A publisher that tries again and again leaves one attempt behind, not many.
    for (const older of [...this.#generations]) {
      if (!older.peer.everConnected) this.#supersede(older, epoch);
    }
    if (this.#generations.isEmpty) this.#sinceMs = publication.sinceMs;
    this.#epoch = epoch;
    this.#generations.add(publication);
    publication.onLeft(() => this.#dropIfLeft(publication));
    peer.onState((state) => this.#onState(publication, state));
    this.#generations.setDeadline(publication, this.#context.settings.generationOverlapMs, () =>
      this.#retireOlder(publication),
    );
    this.#log.info({ session, epoch, worker: worker.index, tracks }, 'publication begins');
    // What happened before anybody listened.
    if (peer.state !== 'connecting') this.#onState(publication, peer.state);
  }

  #onState(publication: Publication, state: PeerState): void {
    switch (state) {
      case 'connected':
        this.#connected(publication);
        return;
      case 'lost':
        if (!publication.peer.everConnected) this.#drop([publication], 'transport_lost');
        else this.#waitForPublisher(publication, this.#context.settings.lostMediaTimeoutMs, 'transport_lost');
        return;
      case 'closed':
        this.#drop([publication], 'media_server_lost');
        return;
    }
  }

  #connected(publication: Publication): void {
    const { session, epoch } = publication;
    // Connected again, while its viewers leave.
    if (publication.retired) return;
    publication.connected();
    this.#generations.stopDeadline(publication);
    this.#log.info({ session, epoch }, 'publication connected');
    this.#context.notify({ type: 'publish.connected', stream: this.name, session, epoch });
    this.#retireOlder(publication);
  }

  /** Its publisher may come back, by an ICE restart or with another generation. */
  #waitForPublisher(publication: Publication, waitMs: number, reason: EndReason): void {
    this.#log.info({ session: publication.session, wait_ms: waitMs }, 'publication lost');
    this.#generations.setDeadline(publication, waitMs, () => this.#drop([publication], reason));
  }

  #retireOlder(publication: Publication): void {
    for (const each of this.#generations.olderThan(publication)) {
      if (each.retired) this.#supersede(each, publication.epoch);
      else this.#retire(each, publication.epoch);
    }
  }

  #retire(publication: Publication, newerEpoch: number): void {
    publication.retired = true;
    this.#generations.stopDeadline(publication);
    this.#tellDisplaced(publication, newerEpoch);
    this.audience.moveFrom(publication);
    this.#dropIfLeft(publication);
  }

  /** Ends a generation at once that a newer one replaces. */
  #supersede(publication: Publication, newerEpoch: number): void {
    if (!publication.retired) this.#tellDisplaced(publication, newerEpoch);
    publication.retired = true;
    this.audience.moveFrom(publication);
    this.#remove(publication);
  }

  #tellDisplaced({ session, epoch }: Publication, newerEpoch: number): void {
    if (epoch === newerEpoch) return;
    this.#log.info({ session, epoch }, 'publication displaced');
    this.#context.notify({ type: 'publish.ended', stream: this.name, session, epoch, reason: 'displaced' });
  }

  #dropIfLeft(publication: Publication): void {
    if (publication.retired && publication.watchers === 0) this.#remove(publication);
    this.#endIfLeft();
  }

  #endIfLeft(): void {
    if (this.#departure.handedOver && this.#generations.isEmpty) this.#endIfNotOwned('displaced');
  }

  #drop(publications: readonly Publication[], reason: EndReason): void {
    const dropped = publications.filter((publication) => this.#generations.remove(publication));
    for (const publication of dropped) publication.close();
    const told = new Set<number>();
    for (const { session, epoch, retired } of dropped) {
      if (retired || told.has(epoch) || this.#isOwned(epoch)) continue;
      told.add(epoch);
      // Its publisher is on its way back with another generation.
      if (this.#opening?.epoch === epoch) this.#opening.ended = reason;
      else this.#tellEnded(session, epoch, reason);
    }
    this.#endIfNotOwned(reason);
    // Of a stream that goes on, viewers follow to another generation.
    if (!this.#ended) for (const publication of dropped) this.audience.moveFrom(publication);
  }

  #tellEnded(session: SessionId, epoch: number, reason: EndReason): void {
    this.#log.info({ session, epoch, reason }, 'publication ended');
    this.#context.notify({ type: 'publish.ended', stream: this.name, session, epoch, reason });
  }

  /** Without its owner the stream is over; whoever published it before the owner was displaced for good. */
  #endIfNotOwned(reason: EndReason): void {
    if (this.#ended || this.#opening || this.#isOwned(this.#epoch)) return;
    this.#ended = true;
    this.#departure.end();
    for (const publication of [...this.#generations]) {
      if (!publication.retired) this.#tellDisplaced(publication, this.#epoch);
      this.#remove(publication);
    }
    this.audience.endAll(endOfPlay(reason));
    if (this.#epoch > 0) this.#onEnded(this);
  }

  /** Whether somebody publishes with this epoch. */
  #isOwned(epoch: number): boolean {
    return [...this.#generations].some((publication) => publication.epoch === epoch && !publication.retired);
  }

  get #current(): Publication | undefined {
    return this.#departure.handedOver ? undefined : this.#generations.newest;
  }

  #remove(publication: Publication): void {
    if (this.#generations.remove(publication)) publication.close();
  }

  #report(publication: Publication, live: boolean): StreamReport {
    const { size } = this.audience;
    return streamReport({ stream: this.name, sinceMs: this.#sinceMs, viewers: size, live }, publication);
  }
}
