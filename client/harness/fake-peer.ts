/** The part of WebRTC that the client uses, played by objects which a test moves by hand. */
export class FakePeerConnection extends EventTarget {
  /** All that were made, oldest first. */
  static made: FakePeerConnection[] = [];

  configuration: RTCConfiguration;
  connectionState = 'new';
  iceConnectionState = 'new';
  signalingState = 'stable';
  localDescription: { type: string; sdp: string } | null = null;
  onconnectionstatechange: (() => void) | null = null;
  oniceconnectionstatechange: (() => void) | null = null;
  readonly transceivers: FakeTransceiver[] = [];
  readonly dtls = new FakeDtls();
  framesDecoded = 0;
  /** How many times `getStats` was refused; null = it is not. */
  statsRefused: number | null = null;
  offers = 0;
  iceGeneration = 0;

  constructor(configuration: RTCConfiguration = {}) {
    super();
    this.configuration = configuration;
    FakePeerConnection.made.push(this);
  }

  static get last(): FakePeerConnection {
    const last = FakePeerConnection.made.at(-1);
    if (!last) throw new Error('no RTCPeerConnection was made');
    return last;
  }

  setConfiguration(configuration: RTCConfiguration): void {
    this.configuration = configuration;
  }

  get number(): number {
    return FakePeerConnection.made.indexOf(this);
  }

  addTransceiver(trackOrKind: FakeTrack | string, init: RTCRtpTransceiverInit = {}): FakeTransceiver {
    const transceiver = new FakeTransceiver(trackOrKind, init, this.dtls);
    this.transceivers.push(transceiver);
    return transceiver;
  }

  getTransceivers(): FakeTransceiver[] {
    return this.transceivers;
  }

  getSenders(): { track: FakeTrack | null }[] {
    return this.transceivers.map(({ sender }) => sender);
  }

  async createOffer({ iceRestart = false } = {}): Promise<{ type: string; sdp: string }> {
    this.#demandOpen();
    if (iceRestart) this.iceGeneration += 1;
    this.offers += 1;
    return { type: 'offer', sdp: `offer ${this.number} ice ${this.iceGeneration} #${this.offers}` };
  }

  async setLocalDescription(description: { type: string; sdp: string }): Promise<void> {
    this.#demandOpen();
    if (description.type === 'rollback') {
      this.signalingState = 'stable';
      return;
    }
    this.signalingState = 'have-local-offer';
    this.localDescription = description;
  }

  /** An answer `no video` rejects the video section. */
  async setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    this.#demandOpen();
    if (sdp === 'broken') throw new Error('cannot parse');
    this.signalingState = 'stable';
    for (const transceiver of this.transceivers) {
      const rejected = sdp === 'no video' && transceiver.receiver.track.kind === 'video';
      transceiver.currentDirection = rejected ? 'inactive' : transceiver.direction;
    }
  }

  async getStats(): Promise<Map<string, object>> {
    if (this.statsRefused !== null) {
      this.statsRefused += 1;
      throw new Error('no statistics now');
    }
    const flow = {
      id: 'in',
      type: 'inbound-rtp',
      kind: 'video',
      timestamp: 0,
      packetsReceived: this.framesDecoded,
    };
    return new Map([['in', { ...flow, framesDecoded: this.framesDecoded }]]);
  }

  close(): void {
    this.connectionState = 'closed';
    this.iceConnectionState = 'closed';
    this.signalingState = 'closed';
  }

  get closed(): boolean {
    return this.connectionState === 'closed';
  }

  ice(state: string): void {
    this.iceConnectionState = state;
    this.oniceconnectionstatechange?.();
  }

  connect(): void {
    this.connectionState = 'connected';
    this.ice('connected');
    this.onconnectionstatechange?.();
  }

  disconnect(): void {
    this.connectionState = 'failed';
    this.ice('failed');
    this.onconnectionstatechange?.();
  }

  #demandOpen(): void {
    if (this.closed) throw new DOMException('The connection is closed', 'InvalidStateError');
  }
}

class FakeDtls extends EventTarget {
  state = 'connected';

  close(): void {
    this.state = 'closed';
    this.dispatchEvent(new Event('statechange'));
  }
}

class FakeTransceiver {
  currentDirection: string | null = null;
  readonly direction: string;
  readonly init: RTCRtpTransceiverInit;
  readonly sender: {
    track: FakeTrack | null;
    transport: FakeDtls;
    replaceTrack: (track: FakeTrack) => Promise<void>;
  };
  readonly receiver: { track: FakeTrack; transport: FakeDtls };

  constructor(trackOrKind: FakeTrack | string, init: RTCRtpTransceiverInit, dtls: FakeDtls) {
    this.init = init;
    this.direction = init.direction ?? 'sendrecv';
    const kind = typeof trackOrKind === 'string' ? trackOrKind : trackOrKind.kind;
    this.sender = {
      track: typeof trackOrKind === 'string' ? null : trackOrKind,
      transport: dtls,
      replaceTrack: async (track) => {
        this.sender.track = track;
      },
    };
    this.receiver = { track: new FakeTrack(kind), transport: dtls };
  }

  setCodecPreferences(): void {}
}

export class FakeTrack extends EventTarget {
  readonly kind: string;

  constructor(kind: string) {
    super();
    this.kind = kind;
  }
}

export class FakeMediaStream {
  readonly #tracks = new Set<FakeTrack>();

  getTracks(): FakeTrack[] {
    return [...this.#tracks];
  }
  addTrack(track: FakeTrack): void {
    this.#tracks.add(track);
  }
  removeTrack(track: FakeTrack): void {
    this.#tracks.delete(track);
  }
}
