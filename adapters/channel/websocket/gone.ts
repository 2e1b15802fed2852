/** Why a connection is gone. */
export interface Gone {
  readonly why: /** Closed at this end. */
    | 'closed_here'
    /** Closed by the other end in good order. */
    | 'closed_there'
    /** Nobody listens at the address. */
    | 'refused'
    /** Whoever listens did not take the connection, for its token, its service or its version. */
    | 'rejected'
    /** Another process listens by now, and does not know the connection that was to be resumed. */
    | 'replaced'
    /** The same process has given the connection up: it was to be resumed too late. */
    | 'expired'
    /** The connection broke, and could not be resumed. */
    | 'reset'
    /** Three heartbeats without an answer, or no answer to the opening handshake. */
    | 'silent'
    /** The other end did not speak the protocol, or said that this one does not. */
    | 'protocol'
    /** The other end read more slowly than this one wrote. */
    | 'slow_reader';
  readonly detail: string;
}

/** Close codes of the application's range (RFC 6455 section 7.4.2), and two of the standard's. */
export const CLOSE = { normal: 1000, going: 1001, protocol: 4000, slowReader: 4001 } as const;
const NO_STATUS = 1005;
const NO_CLOSE_FRAME = 1006;

/** For the answer to a close frame. */
export const CLOSE_TIMEOUT_MS = 300;

/** @param code of the close frame, or one that stands for its absence (RFC 6455 section 7.1.5) */
export function goneOf(code: number, detail: string): Gone {
  switch (code) {
    case CLOSE.normal:
    case CLOSE.going:
    case NO_STATUS:
      return { why: 'closed_there', detail };
    case NO_CLOSE_FRAME:
      return { why: 'reset', detail };
    default:
      return { why: 'protocol', detail: `closed with ${code} ${detail}`.trim() };
  }
}
