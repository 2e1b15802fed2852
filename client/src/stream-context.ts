import type { BackoffOptions } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { PeerConnectionConstructor } from './peer.ts';
import type { Session } from './session.ts';

/** What publications and playbacks need from their client. */
export interface StreamContext {
  readonly session: Session;
  /** The client is being closed: what has not begun is given up. */
  readonly closing: AbortSignal;
  readonly PeerConnection: PeerConnectionConstructor;
  readonly newMediaStream: () => MediaStream;
  readonly clock: Clock;
  /** 0 <= random() < 1 */
  readonly random: () => number;
  readonly backoff: BackoffOptions;
  /** How long a stream may be without media, the server being there, before it ends. */
  readonly recoveryMs: number;
}
