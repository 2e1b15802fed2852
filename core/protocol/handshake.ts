import { describeValue } from './described-value.ts';
import { MillraceError, toMillraceError } from './error.ts';
import { REPLY_METHODS, type ReplyMethod } from './reply.ts';

/** What a client asks for when it opens its WebSocket. */
export interface Handshake {
  readonly replyMethod: ReplyMethod;
  readonly events: boolean;
  readonly token?: string;
}

export type HandshakeResult =
  | { readonly ok: true; readonly handshake: Handshake }
  | { readonly ok: false; readonly error: MillraceError };

/**
 * Reads `/?reply=ack&events=1&token=`. Parameters of other names are ignored; of one written twice the first
 * holds. A bearer token in the header (RFC 6750 section 2.1) goes before one in the query.
 *
 * @param target the request target of the opening handshake, path and query
 * @returns the error `invalid_field` for a value that a parameter cannot have
 */
export function parseHandshake(
  target: string,
  options: { readonly replyMethod: ReplyMethod; readonly authorization?: string | undefined },
): HandshakeResult {
  try {
    const query = new URLSearchParams(target.includes('?') ? target.slice(target.indexOf('?')) : '');
    const token = bearerToken(options.authorization) ?? query.get('token');
    return {
      ok: true,
      handshake: {
        replyMethod: choose(query, 'reply', REPLY_METHODS) ?? options.replyMethod,
        events: choose(query, 'events', ['0', '1']) === '1',
        ...(token && { token }),
      },
    };
  } catch (error) {
    return { ok: false, error: toMillraceError(error) };
  }
}

function choose<Value extends string>(
  query: URLSearchParams,
  name: string,
  values: readonly Value[],
): Value | undefined {
  const given = query.get(name);
  if (given === null) return undefined;
  const value = values.find((known) => known === given);
  if (value !== undefined) return value;
  throw new MillraceError(
    'invalid_field',
    `"${name}" in the address is ${describeValue(given)}; it must be ${values.join(' or ')}`,
  );
}

function bearerToken(authorization: string | undefined): string | undefined {
  return /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}
