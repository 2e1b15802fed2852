import type { Clock } from './clock.ts';
import { toError } from './error.ts';

export type PeerConnectionConstructor = new (configuration?: RTCConfiguration) => RTCPeerConnection;

/**
 * `connected`: media can flow. `interrupted`: ICE lost its path; an ICE restart may find another one.
 * `gone`: the other end closed DTLS, or it failed; only a new connection helps.
 */
export type PeerHealth = 'connected' | 'interrupted' | 'gone';

/** ICE calls itself disconnected for moments that heal by themselves; a restart costs a round trip. */
const DISCONNECTED_GRACE_MS = 2000;
/** A server that ends a stream closes DTLS and says why in an event, whose arrival makes the rest needless. */
const GONE_GRACE_MS = 300;

const POLICIES = { bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' } as const;

/** One RTCPeerConnection that speaks with the ICE-lite server: its health, its offers and their answers. */
export class Peer {
  readonly connection: RTCPeerConnection;
  readonly #clock: Clock;
  readonly #iceServers: () => readonly RTCIceServer[];
  readonly #onHealth: (health: PeerHealth) => void;
  readonly #watched = new Set<RTCDtlsTransport>();
  #cancelGrace: () => void = () => {};
  #cancelGone: () => void = () => {};
  #closed = false;

  constructor(
    PeerConnection: PeerConnectionConstructor,
    {
      clock,
      iceServers,
      onHealth,
    }: { clock: Clock; iceServers: () => readonly RTCIceServer[]; onHealth: (health: PeerHealth) => void },
  ) {
    this.#clock = clock;
    this.#onHealth = onHealth;
    this.#iceServers = iceServers;
    this.connection = new PeerConnection({ ...POLICIES, iceServers: [...iceServers()] });
    this.connection.oniceconnectionstatechange = () => this.#onIceState();
    this.connection.onconnectionstatechange = () => this.#onConnectionState();
  }

  get connected(): boolean {
    return this.connection.connectionState === 'connected';
  }

  /** The offer as it stands: an ICE-lite server needs no candidates of the client (RFC 8445 section 2.5). */
  async offer(options: { iceRestart?: boolean } = {}): Promise<string> {
    try {
      const iceServers = [...this.#iceServers()];
      // The credentials that it was made with may have expired, and ICE gathers anew.
      if (options.iceRestart && iceServers.length > 0) {
        this.connection.setConfiguration({ ...POLICIES, iceServers });
      }
      await this.connection.setLocalDescription(
        await this.connection.createOffer({ iceRestart: options.iceRestart ?? false }),
      );
    } catch (cause) {
      throw toError('negotiation_failed', 'the browser could not make an offer', cause);
    }
    return this.connection.localDescription?.sdp ?? '';
  }

  /** Gives up an offer that got no answer, so that the next one can be made. */
  async withdraw(): Promise<void> {
    if (this.connection.signalingState !== 'have-local-offer') return;
    await this.connection.setLocalDescription({ type: 'rollback' });
  }

  async accept(sdp: unknown): Promise<void> {
    try {
      if (typeof sdp !== 'string') throw new Error('the reply has no "sdp"');
      await this.connection.setRemoteDescription({ type: 'answer', sdp });
    } catch (cause) {
      throw toError('negotiation_failed', "the browser refused the server's answer", cause);
    }
    this.#watchDtls();
  }

  close(): void {
    this.#closed = true;
    this.#cancelGrace();
    this.#cancelGone();
    this.connection.close();
  }

  #report(health: PeerHealth): void {
    if (!this.#closed) this.#onHealth(health);
  }

  #onIceState(): void {
    this.#cancelGrace();
    const state = this.connection.iceConnectionState;
    if (state === 'failed') this.#report('interrupted');
    if (state === 'disconnected') {
      this.#cancelGrace = this.#clock.after(DISCONNECTED_GRACE_MS, () => this.#report('interrupted'));
    }
  }

  #onConnectionState(): void {
    if (this.connection.connectionState === 'connected') this.#report('connected');
    // Failed while ICE stands means that DTLS failed, which no ICE restart repairs.
    if (this.connection.connectionState === 'failed' && this.connection.iceConnectionState !== 'failed') {
      this.#reportGone();
    }
  }

  #reportGone(): void {
    this.#cancelGone();
    this.#cancelGone = this.#clock.after(GONE_GRACE_MS, () => this.#report('gone'));
  }

  #watchDtls(): void {
    for (const transceiver of this.connection.getTransceivers()) {
      const transport = transceiver.receiver.transport ?? transceiver.sender.transport;
      if (!transport || this.#watched.has(transport)) continue;
      this.#watched.add(transport);
      transport.addEventListener?.('statechange', () => {
        if (transport.state === 'closed' || transport.state === 'failed') this.#reportGone();
      });
    }
  }
}
