import { systemClock } from '../src/clock.ts';
import type { PeerConnectionConstructor } from '../src/peer.ts';
import { Session } from '../src/session.ts';
import type { StreamContext } from '../src/stream-context.ts';
import { FakeMediaStream, FakePeerConnection, FakeTrack } from './fake-peer.ts';
import { sessionSettings } from './session-settings.ts';

/** A session with the fake server, and fake media. */
export function streamContext(url: string, changes: Partial<StreamContext> = {}): StreamContext {
  FakePeerConnection.made = [];
  return {
    session: new Session(sessionSettings(url)),
    closing: new AbortController().signal,
    // The fakes have what the client uses, not all that the DOM's types ask for.
    PeerConnection: FakePeerConnection as unknown as PeerConnectionConstructor,
    newMediaStream: () => new FakeMediaStream() as unknown as MediaStream,
    clock: systemClock,
    random: () => 0.5,
    backoff: { baseMs: 10, capMs: 50 },
    recoveryMs: 5000,
    ...changes,
  };
}

export function fakeTracks(...kinds: string[]): MediaStreamTrack[] {
  return kinds.map((kind) => new FakeTrack(kind) as unknown as MediaStreamTrack);
}
