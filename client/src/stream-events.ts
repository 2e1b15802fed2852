import type { MillraceError } from './error.ts';

/** true = muted. */
export interface MuteState {
  readonly audio: boolean;
  readonly video: boolean;
}

export const UNMUTED: MuteState = { audio: false, video: false };

export interface Ended {
  /** `closed` by its owner, a reason that the server gave, or `failed` (then `error` says why). */
  readonly reason: string;
  readonly error: MillraceError | null;
}

export interface StreamEvents {
  /** Media can flow for the first time. */
  connected: undefined;
  /** Media does not flow; everything needed is being done. */
  reconnecting: undefined;
  /** Media flows again. */
  resumed: undefined;
  /** Over for good; nothing follows. */
  ended: Ended;
}
