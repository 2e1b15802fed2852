import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { EndReason, MuteRequest, MuteState, PlayReply, PlayRequest } from '../core/channel/media.ts';
import { chooseWorker } from '../core/placement/worker.ts';
import { MillraceError } from '../core/protocol/error.ts';
import type { SessionId } from '../core/protocol/session-id.ts';
import type { StreamName } from '../core/protocol/stream-name.ts';
import { parseOffer } from '../core/sdp/index.ts';
import type { Offer } from '../core/sdp/types.ts';
import type { Carrier, TrackChange } from './carrier.ts';
import { mutedAfter, reportedMute, UNMUTED } from './mute.ts';
import type { PeerState } from './peer-transport.ts';
import { Play } from './play.ts';
import { streamChanged } from './play-source.ts';
import { Pulls } from './pulls.ts';
import type { StreamContext } from './stream-context.ts';

/** How often a play is begun anew because the publication that it joined was replaced, or got tracks, meanwhile. */
const JOIN_ATTEMPTS = 3;

/** A viewer: the session's newest play, and its place within the limit of viewers. */
interface Viewer {
  readonly play: Play;
  readonly giveUpPlace: () => void;
}

/**
 * The viewers of one stream, whatever its generation: one play a session, for a moment two while the newer
 * one connects.
 */
export class Audience {
  /** Those who take it to other processes. */
  readonly pulls: Pulls;
  readonly #name: StreamName;
  readonly #context: StreamContext;
  readonly #log: Logger;
  /** The publication that new plays join. @throws MillraceError `stream_ended` when there is none any more */
  readonly #carrier: () => Carrier;
  readonly #viewers = new Map<SessionId, Viewer>();
  /** Plays whose session is being given another one, and why they ended meanwhile. */
  readonly #replacing = new Map<Play, EndReason | undefined>();
  readonly #streamId = randomUUID();

  constructor(name: StreamName, context: StreamContext, carrier: () => Carrier) {
    this.#name = name;
    this.#context = context;
    this.#log = context.log.child({ stream: name });
    this.#carrier = carrier;
    const { generationOverlapMs, fanOut } = context.settings;
    this.pulls = new Pulls(carrier, generationOverlapMs, fanOut);
  }

  get size(): number {
    return this.#viewers.size;
  }

  get plays(): readonly Play[] {
    return [...this.#viewers.values()].map(({ play }) => play);
  }

  has(session: SessionId): boolean {
    return this.#viewers.has(session);
  }

  /**
   * Begins a play, or changes the session's own. Calls of one session come one after the other.
   *
   * @throws MillraceError `invalid_sdp`, `no_common_codec`, `too_many`, `stream_ended`, `no_media_server`
   */
  async play(request: PlayRequest): Promise<PlayReply> {
    const offer = parseOffer(request.sdp);
    const current = this.#viewers.get(request.session)?.play;
    if (!current || current.peer.match(offer) === 'another_peer') return this.#begin(request, offer, current);
    current.events = request.events;
    const publication = this.#carrier();
    const sdp = await current.renegotiate(offer, publication);
    // Moved on from before this play had come to it.
    if (publication.closed || publication.retired) this.moveFrom(publication);
    return { sdp };
  }

  /** @throws MillraceError `stream_not_found` when the session does not play the stream */
  async mute(request: MuteRequest): Promise<MuteState> {
    const play = this.#viewers.get(request.session)?.play;
    if (!play) throw notPlaying(this.#name);
    await play.mute(mutedAfter(play.muted, request, play.tracks));
    return reportedMute(play.muted, play.tracks);
  }

  /** The session's own end of its play: nobody needs to be told. */
  leave(session: SessionId, reason: 'closed' | 'session_ended'): boolean {
    return this.#remove(session, reason) !== undefined;
  }

  /** The session plays it elsewhere by now: this play goes when its client leaves it, or after a while. */
  letLeave(session: SessionId): void {
    const play = this.#viewers.get(session)?.play;
    if (play) this.#letLeave(play, this.#context.settings.generationOverlapMs);
  }

  /**
   * The publication was retired, or is gone: another one carries the stream. Viewers with events are told
   * and stay for a moment; the others see their transport close, as soon as it is one that they can see.
   */
  moveFrom(publication: Carrier): void {
    this.pulls.moveFrom(publication);
    for (const play of this.#playsOf(publication)) {
      if (play.leaving) continue;
      if (play.events) this.#tellMoved(play, { graceMs: this.#context.settings.generationOverlapMs });
      else this.#closeVisibly(play);
    }
  }

  /** The publisher changed its tracks in place. What viewers have of a replaced track is dead. */
  tracksChanged(publication: Carrier, { added, replaced }: TrackChange): void {
    this.pulls.tracksChanged(publication);
    if (!added && !replaced) return;
    for (const play of this.#playsOf(publication)) {
      if (play.events) {
        const { generationOverlapMs } = this.#context.settings;
        this.#tellMoved(play, { graceMs: replaced ? generationOverlapMs : undefined });
      } else if (replaced) {
        this.#closeVisibly(play);
      }
    }
  }

  /** The stream is over. */
  endAll(reason: EndReason): void {
    for (const play of this.plays) this.#end(play, reason);
    this.pulls.endAll(reason);
  }

  async #begin(request: PlayRequest, offer: Offer, previous: Play | undefined): Promise<PlayReply> {
    const giveUpPlace = this.#viewers.get(request.session)?.giveUpPlace ?? this.#context.viewers.take();
    if (previous) this.#replacing.set(previous, undefined);
    let seated = previous;
    try {
      const sdp = await this.#join(request, offer, previous?.muted ?? UNMUTED, (play) => {
        seated = play;
        this.#seat({ play, giveUpPlace }, previous);
      });
      return { sdp };
    } finally {
      if (!seated) giveUpPlace();
      if (previous) this.#replaced(previous);
    }
  }

  /** Another play took its place, or did not: then an end meanwhile is one. */
  #replaced(previous: Play): void {
    const ended = this.#replacing.get(previous);
    this.#replacing.delete(previous);
    if (ended && this.#isCurrent(previous)) this.#end(previous, ended);
  }

  /** @param seat takes the play in the turn in which it is known to be up to date: later changes are told to it */
  async #join(
    request: PlayRequest,
    offer: Offer,
    muted: MuteState,
    seat: (play: Play) => void,
  ): Promise<string> {
    const { pool, pipes, settings, traffic } = this.#context;
    for (let attempt = 1; ; attempt++) {
      const publication = this.#carrier();
      const known = new Set(publication.producers.map(({ producer }) => producer));
      const worker = chooseWorker(pool.workers, this.#placesOf(publication), Math.random);
      if (!worker) throw new MillraceError('no_media_server', 'no media worker is alive; try again');
      const { session, events } = request;
      const { play, sdp } = await Play.open({
        publication,
        worker,
        session,
        events,
        offer,
        muted,
        pipes,
        settings,
        traffic,
        streamId: this.#streamId,
      });
      const fresh = publication.producers.some(({ producer }) => !known.has(producer));
      // A client that never connected could not see this transport close: it must get the answer of another.
      if (!publication.closed && !publication.retired && !fresh) {
        seat(play);
        return sdp;
      }
      play.close();
      if (attempt === JOIN_ATTEMPTS) throw streamChanged();
    }
  }

  #placesOf(publication: Carrier) {
    const { pool, pipes } = this.#context;
    const carries = (worker: Play['worker']) =>
      worker !== publication.worker &&
      publication.producers.some(({ producer }) => pipes.carries(producer, worker));
    return { own: publication.worker, piped: pool.workers.filter(carries) };
  }

  #seat(viewer: Viewer, previous: Play | undefined): void {
    const { play } = viewer;
    if (previous) this.#replace(previous, play);
    this.#viewers.set(play.session, viewer);
    play.peer.onState((state) => this.#onState(play, state));
    this.#log.info({ session: play.session, worker: play.worker.index }, 'play begins');
    // What happened before anybody listened.
    if (play.peer.state !== 'connecting') this.#onState(play, play.peer.state);
  }

  /** The older of a session's two transports goes when the newer is connected, or after a while. */
  #replace(older: Play, newer: Play): void {
    if (older.peer.state !== 'connected') {
      // It shows nothing; the one before it may.
      newer.predecessor = older.predecessor;
      older.predecessor = undefined;
      older.close();
      return;
    }
    newer.predecessor = older;
    older.predecessor?.close();
    older.leaveWithin(this.#context.settings.generationOverlapMs, () => older.close());
  }

  #onState(play: Play, state: PeerState): void {
    if (!this.#isCurrent(play)) {
      if (state !== 'connected') play.close();
      return;
    }
    switch (state) {
      case 'connected':
        this.#log.info({ session: play.session }, 'play connected');
        play.predecessor?.close();
        play.predecessor = undefined;
        if (play.leaving && !play.events) this.#end(play, 'displaced');
        return;
      case 'lost':
        this.#end(play, 'transport_lost');
        return;
      case 'closed':
        this.#end(play, 'media_server_lost');
        return;
    }
  }

  #tellMoved(play: Play, { graceMs }: { readonly graceMs: number | undefined }): void {
    if (graceMs !== undefined) this.#letLeave(play, graceMs);
    this.#context.notify({ type: 'play.moved', stream: this.#name, session: play.session });
  }

  /** A client without events learns of it by the DTLS close alert, which only a connected one can get. */
  #closeVisibly(play: Play): void {
    if (play.peer.state === 'connected') this.#end(play, 'displaced');
    else this.#letLeave(play, this.#context.settings.generationOverlapMs);
  }

  #letLeave(play: Play, graceMs: number): void {
    play.leaveWithin(graceMs, () => {
      if (this.#isCurrent(play)) this.#end(play, 'displaced');
      else play.close();
    });
  }

  #end(play: Play, reason: EndReason): void {
    if (this.#replacing.has(play)) {
      this.#replacing.set(play, reason);
      play.close();
      return;
    }
    // Only a client that got as far as DTLS gets an alert, and only from a worker that is alive.
    const transportClosed = reason === 'transport_lost' || (play.peer.everConnected && !play.worker.closed);
    this.#remove(play.session, reason);
    this.#context.notify({
      type: 'play.ended',
      stream: this.#name,
      session: play.session,
      reason,
      transportClosed,
    });
  }

  #remove(session: SessionId, reason: EndReason): Play | undefined {
    const viewer = this.#viewers.get(session);
    if (!viewer) return undefined;
    this.#viewers.delete(session);
    viewer.giveUpPlace();
    viewer.play.close();
    this.#log.info({ session, reason }, 'play ended');
    return viewer.play;
  }

  #isCurrent(play: Play): boolean {
    return this.#viewers.get(play.session)?.play === play;
  }

  #playsOf(publication: Carrier): readonly Play[] {
    return this.plays.filter((play) => play.publication === publication);
  }
}

function notPlaying(name: StreamName): MillraceError {
  return new MillraceError(
    'stream_not_found',
    `this session does not play "${name}"; play it first, or say which role is meant`,
  );
}
