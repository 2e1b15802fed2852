import { ERROR_CODES, type ServerErrorName } from './error-code.ts';

/** What can go wrong before a server has answered. Their `code` is 0. */
export type LocalErrorName =
  /** The client, publication or playback was closed by its owner. */
  | 'closed'
  /** No connection within the deadline, or the server closed it for good. */
  | 'disconnected'
  /** No reply within the deadline. */
  | 'no_reply'
  /** Too many requests wait for a connection. */
  | 'queue_full'
  /** This environment lacks WebSocket or WebRTC. */
  | 'unsupported'
  /** An argument that cannot work. */
  | 'invalid_argument'
  /** The server answers, but no media connection comes about. */
  | 'no_media_path'
  /** The browser refused an offer or an answer. */
  | 'negotiation_failed'
  /** A code that this version does not know. */
  | 'unknown_error';

export type ErrorName = ServerErrorName | LocalErrorName;

const NAMES_BY_CODE: ReadonlyMap<number, ServerErrorName> = new Map(
  // Object.entries widens its keys to string; the table's own keys are exactly these names.
  (Object.entries(ERROR_CODES) as [ServerErrorName, number][]).map(([name, code]) => [code, name]),
);

/** Every failure of this library. `message` says what was wrong and what to do. */
export class MillraceError extends Error {
  readonly errorName: ErrorName;
  /** The server's code, five digits; 0 when no server was involved. */
  readonly code: number;

  constructor(errorName: ErrorName, message: string, options: { code?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'MillraceError';
    this.errorName = errorName;
    this.code = options.code ?? (ERROR_CODES as Partial<Record<ErrorName, number>>)[errorName] ?? 0;
  }

  /** True when the same request may succeed later, unchanged. */
  get temporary(): boolean {
    return (
      this.code >= 50000 ||
      this.errorName === 'disconnected' ||
      this.errorName === 'no_reply' ||
      this.errorName === 'queue_full' ||
      this.errorName === 'too_many'
    );
  }
}

/** The failure that a reply reports. */
export function errorOfReply(code: number, message: string): MillraceError {
  return new MillraceError(NAMES_BY_CODE.get(code) ?? 'unknown_error', message, { code });
}

export function toError(errorName: ErrorName, what: string, cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause;
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new MillraceError(errorName, `${what}: ${detail}`, { cause });
}

/** Whether bringing media back may succeed next time. @param notYet names of errors that only mean "not yet" */
export function isWorthRepeating(error: MillraceError, notYet: readonly string[]): boolean {
  return error.temporary || ['unknown_session', 'negotiation_failed', ...notYet].includes(error.errorName);
}
