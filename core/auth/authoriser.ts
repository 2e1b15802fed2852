import type { StreamName } from '../protocol/stream-name.ts';

/** What can be allowed on a stream. `admin` without a stream is admin of the whole server. */
export type Permission = 'publish' | 'play' | 'record' | 'admin';

/** Who a client is, and what it may do. */
export interface Identity {
  /** Whom the token was made for; '' where authorisation is off. Sessions and streams belong to a subject. */
  readonly subject: string;
  /** When the token expires, Unix time; absent = never. */
  readonly expiresAtMs?: number;
  /** Whether the token was taken back meanwhile; asked again and again. Absent = it cannot be. */
  readonly revoked?: () => boolean;
  may(permission: Permission, stream?: StreamName): boolean;
}

export interface Authoriser {
  /**
   * Who presents this token.
   * @throws MillraceError `token_invalid` (a missing token too), `token_expired`, `token_revoked`,
   *   `authorisation_unavailable`
   */
  identify(token: string | undefined): Promise<Identity>;
}
