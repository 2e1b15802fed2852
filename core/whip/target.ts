import type { Role } from '../channel/media.ts';
import { MillraceError, parseSessionId, parseStreamName } from '../protocol/index.ts';
import type { SessionId } from '../protocol/session-id.ts';
import type { StreamName } from '../protocol/stream-name.ts';

/** What a path of WHIP or WHEP names: the endpoint of a stream, or the session of one client there. */
export interface WhipTarget {
  readonly role: Role;
  readonly stream: StreamName;
  readonly session?: SessionId;
}

const ROLES: ReadonlyMap<string, Role> = new Map([
  ['whip', 'publish'],
  ['whep', 'play'],
]);

export function isWhipPath(path: string): boolean {
  return /^\/wh[ie]p(\/|$)/.test(path);
}

/**
 * Reads `/whip/{stream}`, `/whip/{stream}/{session}` and the same of `/whep`.
 * @returns undefined for a path that has other parts
 * @throws MillraceError `invalid_field`, `missing_field` for a stream's name, `unknown_session` for a session's id
 */
export function parseWhipPath(path: string): WhipTarget | undefined {
  const [, protocol = '', stream = '', session, ...rest] = path.split('/');
  const role = ROLES.get(protocol);
  if (role === undefined || rest.length > 0) return undefined;
  return {
    role,
    stream: parseStreamName(decode(stream)),
    ...(session !== undefined && { session: sessionId(session) }),
  };
}

/** The path of a session, as `Location` names it. */
export function whipPath(role: Role, stream: StreamName, session: SessionId): string {
  return `/${role === 'publish' ? 'whip' : 'whep'}/${encodeURIComponent(stream)}/${session}`;
}

/** The session was never here, or is over. */
export function noSuchSession(cause?: unknown): MillraceError {
  const text = 'there is no such session here, or it has ended; begin one by POST';
  return new MillraceError('unknown_session', text, { cause });
}

function sessionId(part: string): SessionId {
  try {
    return parseSessionId(part);
  } catch (cause) {
    throw noSuchSession(cause);
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new MillraceError('invalid_field', 'the path is not percent-encoded UTF-8', { cause });
  }
}
