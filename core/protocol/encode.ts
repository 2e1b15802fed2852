import type { MillraceError } from './error.ts';
import type { EventData, EventMethod } from './event.ts';
import { type Method, PROTOCOL_VERSION, type RequestId } from './message.ts';
import { type ReplyData, type ReplyMethod, SUCCESS_WORDS } from './reply.ts';

/** What a reply repeats of its request, with the session of the connection that it goes to ('' = none yet). */
export interface ReplyHead<M extends string = string> {
  readonly method: M;
  readonly stream: string;
  readonly session: string;
  readonly id?: RequestId;
}

export function encodeReply<M extends Method>(
  head: ReplyHead<M>,
  data: ReplyData<M>,
  replyMethod: ReplyMethod,
): string {
  return encode(head, 0, SUCCESS_WORDS[head.method], data, replyMethod);
}

export function encodeError(head: ReplyHead, error: MillraceError, replyMethod: ReplyMethod): string {
  return encode(head, error.code, error.message, {}, replyMethod);
}

export function encodeEvent<M extends EventMethod>(event: {
  readonly method: M;
  readonly stream: string;
  readonly session: string;
  readonly data: EventData<M>;
}): string {
  const { method, stream, session, data } = event;
  return JSON.stringify({ version: PROTOCOL_VERSION, method, stream, session, data });
}

function encode(
  head: ReplyHead,
  err: number,
  errMsg: string,
  data: object,
  replyMethod: ReplyMethod,
): string {
  return JSON.stringify({
    version: PROTOCOL_VERSION,
    err,
    err_msg: errMsg,
    method: replyMethod === 'ack' ? 'ack' : head.method,
    stream: head.stream,
    session: head.session,
    // JSON.stringify leaves an undefined member out.
    id: head.id,
    data,
  });
}
