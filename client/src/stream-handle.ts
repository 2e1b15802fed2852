import { backoffMs } from './backoff.ts';
import { sleep } from './clock.ts';
import { isWorthRepeating, MillraceError, toError } from './error.ts';
import { Events } from './events.ts';
import { Flow } from './flow.ts';
import type { Role, ServerEvent } from './message.ts';
import { Mute } from './mute.ts';
import { Peer, type PeerHealth } from './peer.ts';
import type { StreamContext } from './stream-context.ts';
import type { Ended, MuteState, StreamEvents } from './stream-events.ts';
import { Waiters } from './waiters.ts';

/** Ends that the server reports although this client still wants the stream: it starts again by itself. */
const RECOVERABLE_ENDS = new Set(['media_server_lost', 'transport_lost']);
const CLOSE_TIMEOUT_MS = 3000;
const SETTLE_TIMEOUT_MS = 30_000;

/**
 * One stream that this client publishes or plays: what is wanted (a transport, a path, a mute state), what
 * is there, and one loop that brings the second to the first, whatever was lost in between.
 */
export abstract class StreamHandle<Map extends StreamEvents> extends Events<Map> {
  readonly stream: string;
  protected readonly context: StreamContext;
  readonly #role: Role;
  readonly #mute = new Mute();
  #needsTransport = false;
  #needsIceRestart = false;
  #needsOffer = false;
  #running = false;
  #ended: Ended | null = null;
  readonly #flow: Flow;
  #rejectBegin: () => void = () => {};
  readonly #endedFirst = new Promise<never>((_, reject) => {
    this.#rejectBegin = () => reject(new MillraceError('closed', 'ended'));
  });
  /** Why media does not come back, as far as is known. */
  #lastError: MillraceError | null = null;
  readonly #waiters: Waiters;
  readonly #stopListening: readonly (() => void)[];

  constructor(role: Role, stream: string, context: StreamContext) {
    super();
    this.#endedFirst.catch(() => {});
    this.#role = role;
    this.stream = stream;
    this.context = context;
    this.#flow = new Flow(context.clock, context.recoveryMs, () => this.#onFlowOverdue());
    this.#waiters = new Waiters(context.clock, SETTLE_TIMEOUT_MS);
    this.#stopListening = [
      context.session.on('restarted', () => this.needTransport()),
      context.session.on('resumed', () => this.#onSessionResumed()),
      context.session.on('closed', (error) =>
        this.end({ reason: error === null ? 'closed' : error.errorName, error }),
      ),
      context.session.on('message', (event) => {
        if (event.stream === stream) this.#onServerEvent(event);
      }),
    ];
  }

  get muted(): MuteState {
    return this.#mute.wanted;
  }

  get ended(): Ended | null {
    return this.#ended;
  }

  /** True while media does not flow although it should. */
  get reconnecting(): boolean {
    return this.#flow.interrupted && this.#ended === null;
  }

  /**
   * Mutes (true) or unmutes (false) at the server; a kind left out stays as it is. Resolves when done, and is
   * kept through every reconnection.
   */
  async mute(state: Partial<MuteState>): Promise<MuteState> {
    this.#mute.want(state);
    await this.#settled();
    return this.#mute.wanted;
  }

  /** Ends it here and at the server. Never rejects: what the server did not hear, its time-outs do. */
  async close(): Promise<void> {
    if (this.#ended !== null) return;
    const told = this.#tellClosed();
    this.end({ reason: 'closed', error: null });
    await told;
  }

  /** Makes the first transport. On failure the handle is ended, and the failure thrown. */
  protected async begin(signal?: AbortSignal): Promise<void> {
    const abort = () => void this.close();
    const signals = [this.context.closing, ...(signal ? [signal] : [])];
    if (signals.some(({ aborted }) => aborted)) abort();
    for (const each of signals) each.addEventListener('abort', abort, { once: true });
    // What the session loses meanwhile is this attempt's own to repeat, not the loop's.
    this.#running = true;
    try {
      // An end must not wait for the reply to a request that nobody wants any more.
      await Promise.race([this.#endedFirst, this.#connectFirst()]);
    } catch (cause) {
      if (this.#ended !== null) {
        throw this.#ended.error ?? new MillraceError('closed', 'closed before it began');
      }
      const error = toError('negotiation_failed', `cannot ${this.#role} "${this.stream}"`, cause);
      // Unless the server refused it, it may hold what this end gave up.
      if (error.code === 0 || error.temporary) void this.#tellClosed();
      this.#running = false;
      this.end({ reason: 'failed', error });
      throw error;
    } finally {
      for (const each of signals) each.removeEventListener('abort', abort);
      this.#running = false;
    }
    this.#flow.expect();
    this.checkFlow();
    this.#wake();
  }

  /** Makes a transport beside or in place of what is there. @param recovering false for the first one */
  protected abstract connect(recovering: boolean): Promise<void>;
  /** Sends a new offer on the transport that is there. */
  protected abstract renegotiate(options: { iceRestart: boolean }): Promise<void>;
  /** Whether media can flow now. */
  protected abstract get flowing(): boolean;
  protected abstract closePeers(): void;
  /** It is to be played or published again, on a new transport (docs/protocol.md, stream.moved). */
  protected abstract onMoved(): void;
  /** Errors that only mean "not yet" while recovering. */
  protected abstract readonly notYet: readonly string[];

  protected newPeer(onHealth: (health: PeerHealth, peer: Peer) => void): Peer {
    const { PeerConnection, clock, session } = this.context;
    const peer: Peer = new Peer(PeerConnection, {
      clock,
      iceServers: () => session.iceServers,
      onHealth: (health) => onHealth(health, peer),
    });
    return peer;
  }

  /** To be called before a request is sent: one behind `stream.close` would be held for nobody. */
  protected throwIfEnded(): void {
    if (this.#ended !== null)
      throw new MillraceError('closed', `"${this.stream}" has ended: ${this.#ended.reason}`);
  }

  protected transportMade(): void {
    this.#mute.transportMade();
  }

  protected needTransport(): void {
    this.#needsTransport = true;
    this.#wake();
  }

  protected needIceRestart(): void {
    this.#needsIceRestart = true;
    this.#wake();
  }

  protected needOffer(): Promise<void> {
    this.#needsOffer = true;
    return this.#settled();
  }

  /** Looks whether media flows, and says so when that has changed. */
  protected checkFlow(): void {
    if (this.#ended !== null) return;
    const change = this.#flow.update(this.flowing);
    if (change === null) return;
    if (change !== 'reconnecting') this.#lastError = null;
    this.#emit(change, undefined);
  }

  protected end(ended: Ended): void {
    if (this.#ended !== null) return;
    // A publish or play that is on its way would be held for nobody.
    if (this.#running && ended.reason !== 'closed') void this.#tellClosed();
    this.#ended = ended;
    this.#flow.stop();
    for (const stop of this.#stopListening) stop();
    this.closePeers();
    this.#rejectBegin();
    const error = ended.error ?? new MillraceError('closed', `"${this.stream}" has ended: ${ended.reason}`);
    this.#waiters.rejectAll(error);
    this.#emit('ended', ended);
  }

  // Map has at least the events of StreamEvents, which the compiler cannot see through the type parameter.
  #emit<Name extends keyof StreamEvents>(name: Name, detail: StreamEvents[Name]): void {
    this.emit(name, detail as Map[Name]);
  }

  async #connectFirst(): Promise<void> {
    await this.context.session.iceServersKnown();
    this.throwIfEnded();
    try {
      await this.connect(false);
    } catch (error) {
      // A session that was lost in between is no fault of the stream: once more, in the new one.
      if (!(error instanceof MillraceError) || error.errorName !== 'unknown_session') throw error;
      await this.connect(false);
    }
    this.#needsTransport = false;
  }

  #onSessionResumed(): void {
    // Events may have been missed meanwhile. A transport that still stands proves that nothing ended.
    if (!this.flowing) this.needIceRestart();
  }

  #onServerEvent(event: ServerEvent): void {
    if (event.method === 'stream.moved' && (event.data.role ?? 'play') === this.#role) this.onMoved();
    if (event.method !== 'stream.ended' || (event.data.role ?? this.#role) !== this.#role) return;
    const reason = typeof event.data.reason === 'string' ? event.data.reason : 'ended';
    // Displaced is only the generation that a viewer has; the stream goes on in another one.
    const goesOn = RECOVERABLE_ENDS.has(reason) || (reason === 'displaced' && this.#role === 'play');
    if (goesOn) this.needTransport();
    else this.end({ reason, error: null });
  }

  #tellClosed(): Promise<void> {
    return this.context.session
      .request('stream.close', this.stream, { role: this.#role }, CLOSE_TIMEOUT_MS)
      .then(
        () => {},
        () => {},
      );
  }

  #onFlowOverdue(): void {
    // Without the server nothing can be decided; its return finds the time begun anew.
    if (this.context.session.state !== 'connected') {
      this.#flow.expect();
      return;
    }
    const error =
      this.#lastError ??
      new MillraceError(
        'no_media_path',
        `no media connection for "${this.stream}" within ${this.context.recoveryMs} ms; check that this network lets UDP or TCP through to the server's media port`,
      );
    void this.#tellClosed();
    this.end({ reason: 'failed', error });
  }

  /** Resolves when all that is wanted is there. */
  async #settled(): Promise<void> {
    this.throwIfEnded();
    const settled = this.#waiters.wait();
    this.#wake();
    await settled;
  }

  #wake(): void {
    if (this.#running || this.#ended !== null) return;
    this.#running = true;
    void this.#reconcile().finally(() => {
      this.#running = false;
      // Asked for by a listener that was told how it ended.
      if (this.#nextStep() !== null) this.#wake();
    });
  }

  async #reconcile(): Promise<void> {
    const { clock, random, backoff } = this.context;
    let failures = 0;
    for (let step = this.#nextStep(); step !== null; step = this.#nextStep()) {
      try {
        await step();
        failures = 0;
      } catch (cause) {
        if (this.#ended !== null) return;
        const error = toError('negotiation_failed', `cannot bring back "${this.stream}"`, cause);
        this.#lastError = error;
        if (!isWorthRepeating(error, this.notYet)) {
          this.end({ reason: 'failed', error });
          return;
        }
        await sleep(clock, backoffMs(failures, random(), backoff));
        failures += 1;
      }
    }
    if (this.#ended !== null) return;
    this.#waiters.resolveAll();
    this.checkFlow();
  }

  #nextStep(): (() => Promise<void>) | null {
    if (this.#ended !== null) return null;
    if (this.#needsTransport) return () => this.#replaceTransport();
    if (this.#needsIceRestart || this.#needsOffer) return () => this.#offerAgain();
    return this.#mute.due ? () => this.#applyMute() : null;
  }

  async #replaceTransport(): Promise<void> {
    this.#needsTransport = false;
    this.#needsIceRestart = false;
    this.#needsOffer = false;
    try {
      await this.connect(true);
    } catch (error) {
      this.#needsTransport = true;
      throw error;
    }
  }

  async #offerAgain(): Promise<void> {
    const iceRestart = this.#needsIceRestart;
    this.#needsIceRestart = false;
    this.#needsOffer = false;
    try {
      await this.renegotiate({ iceRestart });
    } catch (error) {
      // A transport that the server cannot find or restart is replaced; one it could not be asked about is not.
      if (!(error instanceof MillraceError) || !error.temporary) {
        this.#needsTransport = true;
        return;
      }
      this.#needsIceRestart = iceRestart;
      this.#needsOffer = !iceRestart;
      throw error;
    }
  }

  async #applyMute(): Promise<void> {
    const { wanted } = this.#mute;
    try {
      await this.context.session.request('stream.mute', this.stream, { ...wanted, role: this.#role });
      this.#mute.applied(wanted);
    } catch (cause) {
      const error = toError('internal', `cannot mute "${this.stream}"`, cause);
      if (error.temporary) {
        this.#mute.unanswered();
        throw error;
      }
      if (error.errorName === 'stream_not_found' || error.errorName === 'unknown_session') {
        this.#needsTransport = true;
        return;
      }
      this.#mute.refused();
      this.#waiters.rejectAll(error);
    }
  }
}
