import { createHmac } from 'node:crypto';

/** In the form of WebRTC's RTCIceServer. */
export interface IceServer {
  readonly urls: string[];
  readonly username?: string;
  readonly credential?: string;
}

/** STUN and TURN servers that clients are told to use. */
export interface IceServersSettings {
  /** RFC 7064 and RFC 7065: `stun:`, `stuns:`, `turn:` and `turns:`. */
  readonly urls: readonly string[];
  /** What the TURN servers know too; needed where there are any. */
  readonly turnSecret?: string;
  /** How long credentials are good. */
  readonly turnTtlMs: number;
}

/** Whether the server at this URL wants credentials. */
export function wantsCredentials(url: string): boolean {
  return url.startsWith('turn');
}

/**
 * The servers for one client, with credentials that expire: the TURN server computes the password from the
 * username and the secret that it shares (draft-uberti-behave-turn-rest-00 section 2.2; coturn's `use-auth-secret`).
 *
 * @param user stands in the TURN server's log, and is what it counts quotas by
 * @param nowMs Unix time
 */
export function iceServersFor(
  { urls, turnSecret, turnTtlMs }: IceServersSettings,
  user: string,
  nowMs: number,
): IceServer[] {
  const stun = urls.filter((url) => !wantsCredentials(url));
  const turn = urls.filter(wantsCredentials);
  const username = `${Math.floor((nowMs + turnTtlMs) / 1000)}:${user}`;
  return [
    ...(stun.length > 0 ? [{ urls: stun }] : []),
    ...(turn.length > 0 && turnSecret !== undefined
      ? [
          {
            urls: turn,
            username,
            credential: createHmac('sha1', turnSecret).update(username).digest('base64'),
          },
        ]
      : []),
  ];
}
