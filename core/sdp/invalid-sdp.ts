import { MillraceError } from '../protocol/error.ts';

/** `what` says what is wrong, with which value, and what to do. */
export function invalidSdp(what: string): MillraceError {
  return new MillraceError('invalid_sdp', `invalid SDP: ${what}`);
}

/** A value from an offer as a message may carry it: on one line, bounded. */
export function quoted(value: unknown): string {
  return JSON.stringify(String(value).slice(0, 40));
}
