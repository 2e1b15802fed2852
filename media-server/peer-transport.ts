import type { DtlsFingerprint, DtlsParameters, WebRtcTransport } from 'mediasoup/types';
import type { AnswerOptions, Offer, TransportDescription } from '../core/sdp/types.ts';
import type { MediaServerSettings } from './settings.ts';
import type { MediaWorker } from './worker.ts';

/** Enough for the lower half of a usual simulcast at once; the estimate replaces it within a second. */
const FIRST_ESTIMATE_BPS = 1_500_000;

/**
 * `lost`: consent expired, or the peer closed its DTLS. Consent comes back with an ICE restart.
 * `closed`: by us, or with the worker that carried it.
 */
export type PeerState = 'connecting' | 'connected' | 'lost' | 'closed';

/** How an offer relates to a transport that exists. */
export type OfferMatch = 'same' | 'ice_restart' | 'another_peer';

/**
 * The transport of one client's RTCPeerConnection, for a publication or a play: DTLS and ICE, and whose
 * offers belong to it.
 *
 * It is told to the owner when it connects, when it is lost and when its worker dies. `close` tells nobody:
 * the owner knows.
 */
export class PeerTransport {
  readonly worker: MediaWorker;
  readonly transport: WebRtcTransport;
  readonly #fingerprints: readonly DtlsFingerprint[];
  readonly #connectDeadline: NodeJS.Timeout;
  readonly #sessionId = String(Math.floor(Math.random() * 2 ** 52));
  #sessionVersion = 0;
  #ufrag: string;
  #state: PeerState = 'connecting';
  #everConnected = false;
  #onState: (state: PeerState) => void = () => {};

  /** @throws MillraceError as `MediaWorker.ask` */
  static async open(
    worker: MediaWorker,
    offer: Offer,
    settings: Pick<MediaServerSettings, 'iceConsentTimeoutS' | 'connectTimeoutMs'>,
  ): Promise<PeerTransport> {
    const transport = await worker.ask(
      'creating a transport',
      worker.router.createWebRtcTransport({
        webRtcServer: worker.webRtcServer,
        preferUdp: true,
        iceConsentTimeout: settings.iceConsentTimeoutS,
        initialAvailableOutgoingBitrate: FIRST_ESTIMATE_BPS,
      }),
    );
    return new PeerTransport(worker, transport, offer, settings.connectTimeoutMs);
  }

  private constructor(
    worker: MediaWorker,
    transport: WebRtcTransport,
    offer: Offer,
    connectTimeoutMs: number,
  ) {
    this.worker = worker;
    this.transport = transport;
    this.#fingerprints = offer.fingerprints;
    this.#ufrag = offer.ice.ufrag;
    // A client on a slow network retransmits its first checks; three times the usual bound is for good.
    this.#connectDeadline = setTimeout(() => this.#enter('lost'), connectTimeoutMs * 3);
    transport.on('dtlsstatechange', () => this.#look());
    transport.on('icestatechange', () => this.#look());
    transport.on('routerclose', () => this.#enter('closed'));
  }

  get state(): PeerState {
    return this.#state;
  }

  /** Whether the peer got as far as DTLS: only then can it see its transport close. */
  get everConnected(): boolean {
    return this.#everConnected;
  }

  /** Whether this transport can never carry media again. */
  get dead(): boolean {
    const { dtlsState } = this.transport;
    return this.#state === 'closed' || dtlsState === 'closed' || dtlsState === 'failed';
  }

  onState(listener: (state: PeerState) => void): void {
    this.#onState = listener;
  }

  /** Lets the peer in. In what mediasoup is asked next, this comes first: it keeps the order of requests. */
  async connect(): Promise<void> {
    // The offerer is the DTLS client (RFC 8842 section 5.3: we answer `passive`), so we wait for its hello.
    const dtlsParameters: DtlsParameters = { role: 'client', fingerprints: [...this.#fingerprints] };
    await this.worker.ask('connecting a transport', this.transport.connect({ dtlsParameters }));
  }

  /** A transport whose DTLS is over matches nothing: what offers now is another peer connection. */
  match(offer: Offer): OfferMatch {
    if (this.dead || !sameFingerprints(this.#fingerprints, offer.fingerprints)) return 'another_peer';
    return offer.ice.ufrag === this.#ufrag ? 'same' : 'ice_restart';
  }

  async restartIce(offer: Offer): Promise<void> {
    await this.worker.ask('restarting ICE', this.transport.restartIce());
    this.#ufrag = offer.ice.ufrag;
  }

  get description(): TransportDescription {
    const { iceParameters, iceCandidates, dtlsParameters } = this.transport;
    return { iceParameters, iceCandidates, fingerprints: dtlsParameters.fingerprints };
  }

  /** For the next answer of this transport. */
  nextAnswer(): AnswerOptions {
    this.#sessionVersion++;
    return { sessionId: this.#sessionId, sessionVersion: this.#sessionVersion };
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#connectDeadline);
    this.transport.close();
  }

  #look(): void {
    const { dtlsState, iceState } = this.transport;
    if (this.dead || iceState === 'disconnected') {
      this.#enter('lost');
    } else if (dtlsState === 'connected' && iceState !== 'new') {
      this.#everConnected = true;
      clearTimeout(this.#connectDeadline);
      this.#enter('connected');
    }
  }

  #enter(state: PeerState): void {
    if (this.#state === state || this.#state === 'closed') return;
    this.#state = state;
    if (state === 'closed') clearTimeout(this.#connectDeadline);
    this.#onState(state);
  }
}

function sameFingerprints(a: readonly DtlsFingerprint[], b: readonly DtlsFingerprint[]): boolean {
  return fingerprintKey(a) === fingerprintKey(b);
}

function fingerprintKey(fingerprints: readonly DtlsFingerprint[]): string {
  return fingerprints
    .map(({ algorithm, value }) => `${algorithm} ${value.toLowerCase()}`)
    .sort()
    .join('\n');
}
