import { MillraceError } from './error.ts';

export type CloseAction =
  | { readonly action: 'reconnect'; readonly leastDelayMs: number }
  | { readonly action: 'stop'; readonly error: MillraceError };

const stop = (error: MillraceError): CloseAction => ({ action: 'stop', error });

/**
 * What a WebSocket's close code asks of the client (docs/protocol.md, close codes). Unknown ones reconnect:
 * a proxy in between has codes of its own.
 */
export function closeAction(code: number, reason: string): CloseAction {
  const detail = reason === '' ? '' : ` (${reason})`;
  switch (code) {
    case 1003:
    case 1009:
      return stop(
        new MillraceError('disconnected', `the server refused a message, close code ${code}${detail}`),
      );
    case 1008:
      // The next connection asks for a newer token; where there is none, the server refuses that by a reply.
      if (reason.startsWith('token_expired')) return { action: 'reconnect', leastDelayMs: 0 };
      return stop(
        new MillraceError('not_authorised', `the server refused the connection, close code 1008${detail}`),
      );
    case 4001:
      return stop(
        new MillraceError('session_taken_over', `another connection took the session over${detail}`),
      );
    case 4003:
      return stop(
        new MillraceError('disconnected', `the server saw too many bad messages, close code 4003${detail}`),
      );
    case 4004:
      return stop(new MillraceError('disconnected', `an operator ended the session${detail}`));
    case 1013:
      return { action: 'reconnect', leastDelayMs: 5000 };
    default:
      return { action: 'reconnect', leastDelayMs: 0 };
  }
}
