import { MillraceError } from './error.ts';
import { type MediaStats, MediaStatsSampler } from './media-stats.ts';
import type { Peer, PeerHealth } from './peer.ts';
import type { StreamContext } from './stream-context.ts';
import type { StreamEvents } from './stream-events.ts';
import { StreamHandle } from './stream-handle.ts';

export interface PlayOptions {
  /** How long the server waits for a stream that is not live yet, 0..60000 ms. Absent or 0 = not at all. */
  readonly waitMs?: number;
  /** Gives up waiting. */
  readonly signal?: AbortSignal;
}

export interface PlaybackEvents extends StreamEvents {
  /** The tracks in `mediaStream` are those of a new connection; the picture went on without a break. */
  moved: undefined;
}

const REPLY_TIMEOUT_MS = 10_000;
/** A publisher that lost its server is back within this time, or is not coming. */
const RECOVERY_WAIT_MS = 20_000;
/** The server keeps the older generation for 10 s; the switch has to happen before. */
const SWITCH_DEADLINE_MS = 8000;
const SWITCH_POLL_MS = 50;

/** A stream that this client plays, until it is closed or ended. */
export class Playback extends StreamHandle<PlaybackEvents> {
  /** The same object for the whole playback: give it to a `<video>` element once. */
  readonly mediaStream: MediaStream;
  readonly #waitMs: number;
  #current: Peer | null = null;
  /** Takes over at its first decoded frame. */
  #next: Peer | null = null;
  #nextAnswered = false;
  readonly #sampler = new MediaStatsSampler('inbound');
  protected override readonly notYet = ['stream_not_found', 'stream_ended'];

  private constructor(
    stream: string,
    options: PlayOptions,
    context: StreamContext,
    mediaStream: MediaStream,
  ) {
    super('play', stream, context);
    this.#waitMs = Math.min(60_000, Math.max(0, options.waitMs ?? 0));
    this.mediaStream = mediaStream;
  }

  /** @throws MillraceError of the server (`stream_not_found` once `waitMs` is over), `negotiation_failed` */
  static async open(stream: string, options: PlayOptions, context: StreamContext): Promise<Playback> {
    // First, because an environment without it must not leave half a playback behind.
    const mediaStream = context.newMediaStream();
    const playback = new Playback(stream, options, context, mediaStream);
    await playback.begin(options.signal);
    return playback;
  }

  /** What arrived since the last call, and how well. */
  async stats(): Promise<MediaStats> {
    if (this.#current === null) throw new MillraceError('closed', `"${this.stream}" has no connection now`);
    return this.#sampler.sample(await this.#current.connection.getStats());
  }

  protected override get flowing(): boolean {
    return this.#current?.connected ?? false;
  }

  protected override async connect(recovering: boolean): Promise<void> {
    this.#next?.close();
    const peer = this.newPeer((health, self) => this.#onHealth(health, self));
    this.#next = peer;
    this.#nextAnswered = false;
    peer.connection.addTransceiver('audio', { direction: 'recvonly' });
    peer.connection.addTransceiver('video', { direction: 'recvonly' });
    await this.#negotiate(peer, recovering ? RECOVERY_WAIT_MS : this.#waitMs);
    this.#nextAnswered = true;
    this.transportMade();
    if (this.#current === null) this.#switchTo(peer);
    else void this.#switchAtFirstFrame(peer);
  }

  protected override async renegotiate({ iceRestart }: { iceRestart: boolean }): Promise<void> {
    if (this.#current === null) throw new MillraceError('closed', 'no connection to renegotiate');
    await this.#current.withdraw();
    await this.#negotiate(this.#current, 0, iceRestart);
  }

  protected override closePeers(): void {
    this.#current?.close();
    this.#next?.close();
    this.#current = null;
    this.#next = null;
    for (const track of this.mediaStream.getTracks()) this.mediaStream.removeTrack(track);
  }

  protected override onMoved(): void {
    this.needTransport();
  }

  async #negotiate(peer: Peer, waitMs: number, iceRestart = false): Promise<void> {
    const sdp = await peer.offer({ iceRestart });
    this.throwIfEnded();
    const reply = await this.context.session.request(
      'stream.play',
      this.stream,
      { sdp, ...(waitMs > 0 ? { wait_ms: waitMs } : {}) },
      waitMs + REPLY_TIMEOUT_MS,
    );
    await peer.accept(reply.sdp);
  }

  #onHealth(health: PeerHealth, peer: Peer): void {
    if (peer === this.#next) {
      // The newer connection failed before it carried a frame: another one, the older stays meanwhile.
      if (health === 'gone') this.needTransport();
      return;
    }
    if (peer !== this.#current) return;
    if (health === 'gone' && this.#next === null) this.needTransport();
    else if (health === 'gone') this.#dropCurrent();
    else if (health === 'interrupted' && this.#next === null) this.needIceRestart();
    this.checkFlow();
  }

  /** The older connection is lost: the newer takes over now, or as soon as it is answered. */
  #dropCurrent(): void {
    if (this.#nextAnswered && this.#next !== null) {
      this.#switchTo(this.#next);
      return;
    }
    this.#current?.close();
    this.#current = null;
  }

  async #switchAtFirstFrame(peer: Peer): Promise<void> {
    const { clock } = this.context;
    const deadlineMs = clock.now() + SWITCH_DEADLINE_MS;
    while (this.#next === peer && clock.now() < deadlineMs && !(await this.#decodes(peer))) {
      await new Promise<void>((resolve) => clock.after(SWITCH_POLL_MS, resolve));
    }
    if (this.#next === peer) this.#switchTo(peer);
  }

  async #decodes(peer: Peer): Promise<boolean> {
    const tracks = receivedTracks(peer);
    const wantsVideo = tracks.some(({ kind }) => kind === 'video') && !this.muted.video;
    // Nobody waits for this: a refusal, as of a connection that closes, must not go unhandled.
    const report = await peer.connection.getStats().catch(() => null);
    if (report === null) return false;
    const stats = new MediaStatsSampler('inbound').sample(report);
    return wantsVideo ? stats.framesDecoded > 0 : stats.packets > 0;
  }

  #switchTo(peer: Peer): void {
    const old = this.#current;
    this.#current = peer;
    this.#next = null;
    for (const track of this.mediaStream.getTracks()) this.mediaStream.removeTrack(track);
    for (const track of receivedTracks(peer)) this.mediaStream.addTrack(track);
    this.#sampler.reset();
    old?.close();
    if (old !== null) this.emit('moved', undefined);
    this.checkFlow();
  }
}

/** The tracks whose sections the answer accepted. */
function receivedTracks(peer: Peer): MediaStreamTrack[] {
  return peer.connection
    .getTransceivers()
    .filter(({ currentDirection }) => currentDirection === 'recvonly')
    .map(({ receiver }) => receiver.track);
}
