import { errors, jwtVerify, SignJWT } from 'jose';
import type { PeerIdentity, ServiceName } from '../../../core/channel/service.ts';
import type { StreamName } from '../../../core/protocol/stream-name.ts';
import type { RecordingId } from '../../../core/recording/recording.ts';

/**
 * Shared secrets of a cluster: the first signs, all verify. A secret is replaced in three steps, each
 * everywhere before the next: the new one behind the old one, the new one in front, the old one left out.
 */
export type Secrets = () => readonly [Uint8Array, ...Uint8Array[]];

const AUDIENCE = 'millrace-channel';
/** Clocks of two machines may differ by this much. */
const CLOCK_TOLERANCE_S = 60;
const MAX_TOKEN_CHARACTERS = 4096;
/** What a recorder may ask for: streams of media servers, and orders of its home. */
export const RECORDER_SERVICES: readonly ServiceName[] = ['pipes', 'recorder'];

export interface ChannelTokenClaims {
  readonly services: readonly ServiceName[];
  /** The token is for the recorder of this recording; absent = for a process of the cluster. */
  readonly recording?: RecordingId;
  /** Which a recorder may pull. */
  readonly stream?: StreamName;
  readonly ttlMs: number;
}

/** A token for opening handshakes: a JWT (RFC 7519) signed with HS256. */
export function signChannelToken(
  secrets: Secrets,
  { services, recording, stream, ttlMs }: ChannelTokenClaims,
  nowMs: number,
): Promise<string> {
  return new SignJWT({
    services: [...services],
    ...(recording !== undefined && { recording }),
    ...(stream !== undefined && { stream }),
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setAudience(AUDIENCE)
    .setIssuedAt(Math.floor(nowMs / 1000))
    .setExpirationTime(Math.ceil((nowMs + ttlMs) / 1000))
    .sign(secrets()[0]);
}

export type Verified =
  | { readonly ok: true; readonly identity: PeerIdentity }
  /** `why` is for the log; the other end only learns that it was refused. */
  | { readonly ok: false; readonly why: string };

/** @param authorization the header, as it came */
export async function verifyChannelToken(
  secrets: Secrets,
  authorization: string | undefined,
  service: ServiceName,
  nowMs: number,
): Promise<Verified> {
  const token = /^Bearer ([\w.-]+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) return refused('there is no token');
  if (token.length > MAX_TOKEN_CHARACTERS) return refused('the token is too long');
  for (const secret of secrets()) {
    try {
      const { payload } = await jwtVerify(token, secret, {
        algorithms: ['HS256'],
        audience: AUDIENCE,
        requiredClaims: ['exp'],
        clockTolerance: CLOCK_TOLERANCE_S,
        currentDate: new Date(nowMs),
      });
      return judge(payload, service);
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) continue;
      if (error instanceof errors.JWTExpired) return refused('the token has expired; compare the clocks');
      if (error instanceof errors.JOSEError) return refused(`the token is not valid: ${error.code}`);
      throw error;
    }
  }
  return refused('the token is signed with another secret');
}

function judge(
  { services, recording, stream }: Readonly<Record<string, unknown>>,
  service: ServiceName,
): Verified {
  if (!Array.isArray(services) || !services.includes(service)) {
    return refused(`the token is not for "${service}"`);
  }
  if (recording === undefined) return { ok: true, identity: {} };
  if (typeof recording !== 'string' || !RECORDER_SERVICES.includes(service)) {
    return refused('the token is a recorder’s, and not for this');
  }
  if (typeof stream !== 'string') return refused('the token is a recorder’s, and names no stream');
  return { ok: true, identity: { recording: recording as RecordingId, stream: stream as StreamName } };
}

function refused(why: string): Verified {
  return { ok: false, why };
}
