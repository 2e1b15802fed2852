import type { IncomingMessage } from 'node:http';
import { type PeerIdentity, SERVICE_NAMES, type ServiceName } from '../../../core/channel/service.ts';
import { CONNECTION_HEADER, RECEIVED_HEADER, readCount } from './dial.ts';
import { type Secrets, type Verified, verifyChannelToken } from './token.ts';
import { commonSubprotocol, offeredSubprotocols, subprotocols } from './version.ts';

/** What an opening handshake asks for, by right. */
export interface Admitted {
  readonly service: ServiceName;
  readonly identity: PeerIdentity;
  /** Chosen by the dialling end; absent = it will not resume. */
  readonly connection?: string;
  /** It resumes that connection, and has this many messages of this end. */
  readonly received?: number;
}

export interface Refusal {
  /** HTTP status. */
  readonly status: number;
  /** For the other end. */
  readonly text: string;
  /** For the log, where that may say more. */
  readonly why?: string;
}

/** Judges an opening handshake before it becomes a WebSocket. Only who has a token learns anything else. */
export async function judgeHandshake(
  { url = '', headers }: Pick<IncomingMessage, 'url' | 'headers'>,
  {
    secrets,
    versions,
    certified,
    nowMs,
  }: {
    readonly secrets: Secrets;
    readonly versions: readonly number[];
    /** It comes with a certificate of the cluster's authority. */
    readonly certified: boolean;
    readonly nowMs: number;
  },
): Promise<Admitted | Refusal> {
  const service = SERVICE_NAMES.find((name) => url === `/${name}`);
  if (service === undefined) return { status: 404, text: 'there is no such service' };
  const verified: Verified =
    certified && headers.authorization === undefined
      ? { ok: true, identity: {} }
      : await verifyChannelToken(secrets, headers.authorization, service, nowMs);
  if (!verified.ok) {
    return {
      status: 401,
      text: 'this needs a token signed with MILLRACE_CHANNEL_SECRET',
      why: verified.why,
    };
  }
  const offered = offeredSubprotocols(headers['sec-websocket-protocol']);
  if (commonSubprotocol(offered, versions) === undefined) {
    const [spoken, asked] = [subprotocols(versions), [...offered]].map((names) => names.join(', '));
    return {
      status: 400,
      text: `this process speaks ${spoken}, not ${asked?.slice(0, 100)}: update in steps of one version`,
    };
  }
  const connection = headers[CONNECTION_HEADER];
  const received = readCount(headers[RECEIVED_HEADER]);
  if (connection === undefined) return { service, identity: verified.identity };
  if (typeof connection !== 'string' || !/^[\da-f]{32}$/.test(connection)) {
    return { status: 400, text: 'the id of a connection is 32 digits of hexadecimal' };
  }
  return {
    service,
    identity: verified.identity,
    connection,
    ...(received !== undefined && { received }),
  };
}
