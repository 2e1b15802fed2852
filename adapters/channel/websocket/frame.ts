import { ERROR_CODES, type ErrorName, MillraceError } from '../../../core/protocol/error.ts';
import { copyPlainData } from '../plain-data.ts';

/**
 * Version 1 of what passes over the socket: JSON objects as text, one a WebSocket message, told apart by
 * the fields they have. Fields that are not known here are ignored, so a neighbouring version may add some.
 *
 *   {"id": 7, "call": "publish", "data": {...}}                          to the answering end
 *   {"id": 7, "data": {...}}                                             its reply
 *   {"id": 7, "error": {"name": "invalid_sdp", "message": "..."}}        or its failure
 *   {"notice": {...}}                                                    to the calling end
 */
export interface CallFrame {
  readonly kind: 'call';
  /** Unique among the calls in flight of a connection, chosen by the caller. */
  readonly id: number;
  readonly call: string;
  readonly data: unknown;
}

export type AnswerFrame =
  | { readonly kind: 'reply'; readonly id: number; readonly data: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: MillraceError }
  | { readonly kind: 'notice'; readonly notice: unknown }
  /** Well formed, and of a kind that only a newer version knows. */
  | { readonly kind: 'unknown' };

/** @throws TypeError for what is not plain data */
export function encodeCall(id: number, call: string, data: unknown): string {
  return JSON.stringify({ id, call, data: copyPlainData(data) });
}

/** @throws TypeError for what is not plain data */
export function encodeReply(id: number, data: unknown): string {
  return JSON.stringify({ id, data: copyPlainData(data) });
}

export function encodeFailure(id: number, { errorName, message }: MillraceError): string {
  return JSON.stringify({ id, error: { name: errorName, message } });
}

/** @throws TypeError for what is not plain data */
export function encodeNotice(notice: unknown): string {
  return JSON.stringify({ notice: copyPlainData(notice) });
}

/** What the answering end is sent: calls, or (undefined) what only a newer version knows. @throws BadFrame */
export function decodeCall(text: string): CallFrame | undefined {
  const { id, call, data } = parseObject(text);
  if (call === undefined) return undefined;
  if (!isId(id) || typeof call !== 'string') throw new BadFrame('a call without an id or a name');
  return { kind: 'call', id, call, data };
}

/** What the calling end is sent. @throws BadFrame */
export function decodeAnswer(text: string): AnswerFrame {
  const { id, data, error, notice } = parseObject(text);
  if (notice !== undefined) return { kind: 'notice', notice };
  if (id === undefined) return { kind: 'unknown' };
  if (!isId(id)) throw new BadFrame('an answer whose id is no id');
  return error === undefined
    ? { kind: 'reply', id, data }
    : { kind: 'failure', id, error: decodeError(error) };
}

/** The other end does not speak this protocol. */
export class BadFrame extends Error {}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new BadFrame('not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new BadFrame('not a JSON object');
  }
  // A null prototype would hide nothing: fields are read by name, and "__proto__" is an own one of the parser's.
  return parsed as Readonly<Record<string, unknown>>;
}

function isId(id: unknown): id is number {
  return Number.isSafeInteger(id);
}

function decodeError(error: unknown): MillraceError {
  if (typeof error !== 'object' || error === null) throw new BadFrame('a failure that is no object');
  const { name, message } = error as Readonly<Record<string, unknown>>;
  if (typeof message !== 'string') throw new BadFrame('a failure without a message');
  // A newer version may have failures that this one has no name for.
  const known = typeof name === 'string' && Object.hasOwn(ERROR_CODES, name);
  return new MillraceError(known ? (name as ErrorName) : 'internal', message);
}
