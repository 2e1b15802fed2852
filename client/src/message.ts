/** Messages of the client protocol, version 1.0, as docs/protocol.md has them. */
export const PROTOCOL_VERSION = '1.0';

export type Method =
  | 'stream.publish'
  | 'stream.play'
  | 'stream.mute'
  | 'stream.close'
  | 'stream.heartbeat'
  | 'record.start'
  | 'record.stop';

export type Role = 'publish' | 'play';
export type Data = Readonly<Record<string, unknown>>;

export interface Reply {
  readonly type: 'reply';
  readonly id: number;
  readonly code: number;
  readonly message: string;
  readonly session: string;
  readonly data: Data;
}

export interface ServerEvent {
  readonly type: 'event';
  readonly method: string;
  readonly stream: string;
  readonly data: Data;
}

export interface RequestFields {
  readonly id: number;
  readonly method: Method;
  readonly stream: string;
  readonly session: string;
  readonly token: string | undefined;
  readonly data: Data;
}

export function encodeRequest({ id, method, stream, session, token, data }: RequestFields): string {
  return JSON.stringify({
    version: PROTOCOL_VERSION,
    id,
    method,
    stream,
    session,
    ...(token === undefined ? {} : { token }),
    data,
  });
}

/** A reply or an event; null for what is neither, which a later version may send and this one ignores. */
export function decodeMessage(text: string): Reply | ServerEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value)) return null;
  const data = isRecord(value.data) ? value.data : {};
  const stream = typeof value.stream === 'string' ? value.stream : '';
  if (typeof value.err === 'number' && typeof value.id === 'number') {
    return {
      type: 'reply',
      id: value.id,
      code: value.err,
      message: typeof value.err_msg === 'string' ? value.err_msg : '',
      session: typeof value.session === 'string' ? value.session : '',
      data,
    };
  }
  if (value.err === undefined && typeof value.method === 'string') {
    return { type: 'event', method: value.method, stream, data };
  }
  return null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
