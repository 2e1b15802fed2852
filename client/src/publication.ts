import { MillraceError } from './error.ts';
import { type MediaStats, MediaStatsSampler } from './media-stats.ts';
import {
  checkPublishOptions,
  type PublishOptions,
  preferredCodecs,
  tracksToPublish,
  videoEncodings,
} from './offer.ts';
import type { Peer, PeerHealth } from './peer.ts';
import type { StreamContext } from './stream-context.ts';
import type { MuteState, StreamEvents } from './stream-events.ts';
import { StreamHandle } from './stream-handle.ts';

/** The server keeps the former transport for its viewers, 10 s at most, and then closes it. */
const FORMER_DEADLINE_MS = 12_000;

/** A stream that this client publishes, until it is closed or ended. */
export class Publication extends StreamHandle<StreamEvents> {
  readonly #options: PublishOptions;
  #tracks: MediaStreamTrack[];
  #peer: Peer | null = null;
  /** Sends on for those who watch by it until they have moved to the newer one. */
  #former: Peer | null = null;
  #cancelFormer: () => void = () => {};
  /** The server asked for another transport, and the one that is there is as good as before. */
  #moving = false;
  readonly #sampler = new MediaStatsSampler('outbound');
  // Whoever holds the name may be this client's own earlier session, which the server gives up in a moment.
  protected override readonly notYet = ['stream_already_published'];

  private constructor(
    stream: string,
    source: MediaStream | readonly MediaStreamTrack[],
    options: PublishOptions,
    context: StreamContext,
  ) {
    super('publish', stream, context);
    this.#options = options;
    this.#tracks = tracksToPublish(source);
  }

  /** @throws MillraceError of the server, `invalid_argument`, `no_common_codec`, `negotiation_failed` */
  static async open(
    stream: string,
    source: MediaStream | readonly MediaStreamTrack[],
    options: PublishOptions,
    context: StreamContext,
  ): Promise<Publication> {
    checkPublishOptions(options);
    tracksToPublish(source);
    const publication = new Publication(stream, source, options, context);
    await publication.begin();
    return publication;
  }

  /** The tracks that are sent. The publication never stops them: they belong to whoever made them. */
  get tracks(): readonly MediaStreamTrack[] {
    return this.#tracks;
  }

  /** Sends `track` in place of the one of its kind, unnoticed by viewers; a new kind is negotiated. */
  async replaceTrack(track: MediaStreamTrack): Promise<void> {
    const old = this.#tracks.find(({ kind }) => kind === track.kind);
    this.#tracks = [...this.#tracks.filter((other) => other !== old), track];
    const peer = this.#peer;
    if (peer === null) return;
    await sender(this.#former, old)?.replaceTrack(track);
    const current = sender(peer, old);
    if (current) {
      await current.replaceTrack(track);
      return;
    }
    this.#addTrack(peer, track);
    await this.needOffer();
  }

  override mute(state: Partial<MuteState>): Promise<MuteState> {
    // The server mutes the newer transport only; what the former sends must not go on being seen or heard.
    this.#closeFormer();
    return super.mute(state);
  }

  /** What is sent since the last call, and how well it arrives. */
  async stats(): Promise<MediaStats> {
    if (this.#peer === null) throw new MillraceError('closed', `"${this.stream}" has no connection now`);
    return this.#sampler.sample(await this.#peer.connection.getStats());
  }

  protected override get flowing(): boolean {
    return (this.#peer?.connected || this.#former?.connected) ?? false;
  }

  protected override async connect(): Promise<void> {
    if (this.#moving && this.#peer?.connected) {
      this.#moving = false;
      this.#closeFormer();
      this.#former = this.#peer;
    } else {
      this.#peer?.close();
    }
    const peer = this.newPeer((health, self) => this.#onHealth(health, self));
    this.#peer = peer;
    for (const track of this.#tracks) this.#addTrack(peer, track);
    await this.#negotiate(peer, false);
    this.transportMade();
  }

  protected override async renegotiate({ iceRestart }: { iceRestart: boolean }): Promise<void> {
    if (this.#peer === null) throw new MillraceError('closed', 'no connection to renegotiate');
    await this.#peer.withdraw();
    await this.#negotiate(this.#peer, iceRestart);
  }

  protected override closePeers(): void {
    this.#closeFormer();
    this.#peer?.close();
    this.#peer = null;
  }

  protected override onMoved(): void {
    // A reminder while it is on its way changes nothing.
    if (this.#former !== null && !this.#peer?.connected) return;
    this.#moving = true;
    this.needTransport();
  }

  #closeFormer(): void {
    this.#cancelFormer();
    this.#former?.close();
    this.#former = null;
  }

  #addTrack(peer: Peer, track: MediaStreamTrack): void {
    const video = track.kind === 'video';
    const transceiver = peer.connection.addTransceiver(track, {
      direction: 'sendonly',
      ...(video ? { sendEncodings: videoEncodings(this.#options) } : {}),
    });
    if (!video || !this.#options.codecs) return;
    const available = globalThis.RTCRtpSender?.getCapabilities('video')?.codecs ?? [];
    transceiver.setCodecPreferences(preferredCodecs(available, this.#options.codecs));
  }

  async #negotiate(peer: Peer, iceRestart: boolean): Promise<void> {
    const { maxBitrateBps } = this.#options;
    const sdp = await peer.offer({ iceRestart });
    this.throwIfEnded();
    const reply = await this.context.session.request('stream.publish', this.stream, {
      sdp,
      ...(maxBitrateBps ? { max_bitrate: Math.round(maxBitrateBps) } : {}),
    });
    await peer.accept(reply.sdp);
  }

  #onHealth(health: PeerHealth, peer: Peer): void {
    if (peer === this.#former) {
      if (health !== 'connected') this.#closeFormer();
      this.checkFlow();
      return;
    }
    if (health === 'connected' && this.#former !== null) {
      this.#cancelFormer();
      this.#cancelFormer = this.context.clock.after(FORMER_DEADLINE_MS, () => this.#closeFormer());
    }
    if (health === 'interrupted') this.needIceRestart();
    if (health === 'gone') {
      this.#moving = false;
      this.needTransport();
    }
    this.checkFlow();
  }
}

function sender(peer: Peer | null, track: MediaStreamTrack | undefined): RTCRtpSender | undefined {
  return peer?.connection.getSenders().find((candidate) => track !== undefined && candidate.track === track);
}
