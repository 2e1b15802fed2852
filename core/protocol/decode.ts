import { describeValue } from './described-value.ts';
import { MillraceError, toMillraceError } from './error.ts';
import {
  FIELD_RULES,
  MAX_SDP_CHARACTERS,
  METHODS,
  type Method,
  PROTOCOL_VERSION,
  REQUEST_SCHEMAS,
  type RequestData,
  type RequestId,
  RequestIdSchema,
} from './message.ts';
import { parseSessionId, type SessionId } from './session-id.ts';
import { parseStreamName, type StreamName } from './stream-name.ts';

interface RequestHead {
  /** '' = this connection's session, or a new one. */
  readonly session: SessionId | '';
  readonly id?: RequestId;
  readonly token?: string;
}

/** A request that keeps every rule of its message; whether it can be done is another matter. */
export type DecodedRequest =
  | {
      [M in Exclude<Method, 'stream.heartbeat'>]: RequestHead & {
        readonly method: M;
        readonly stream: StreamName;
        readonly data: RequestData<M>;
      };
    }[Exclude<Method, 'stream.heartbeat'>]
  | (RequestHead & {
      readonly method: 'stream.heartbeat';
      /** As it came, for the reply only; '' when absent or not a string. */
      readonly stream: string;
      readonly data: RequestData<'stream.heartbeat'>;
    });

/** What an error reply repeats of its request: '' for what could not be read. */
export interface RequestEcho {
  readonly method: string;
  readonly stream: string;
  readonly session: string;
  readonly id?: RequestId;
}

export type DecodeResult =
  | { readonly ok: true; readonly request: DecodedRequest }
  | { readonly ok: false; readonly error: MillraceError; readonly echo: RequestEcho };

type JsonObject = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 32;
const NOTHING_READ: RequestEcho = { method: '', stream: '', session: '' };

/**
 * Reads one message of a client. Never throws: the error is one of `malformed`, `unsupported_version`,
 * `unknown_method`, `missing_field`, `invalid_field`, `too_large` (an SDP) or `unknown_session`.
 *
 * Fields that are null count as absent, unknown fields are ignored, and of a field written twice the last
 * one holds (RFC 8259 section 4 leaves that open).
 *
 * @param text one whole text message; its size in bytes was checked by whoever received it
 */
export function decodeRequest(text: string): DecodeResult {
  let echo = NOTHING_READ;
  try {
    const message = parseMessage(text);
    echo = echoOf(message);
    return { ok: true, request: readRequest(message) };
  } catch (error) {
    return { ok: false, error: toMillraceError(error), echo };
  }
}

function parseMessage(text: string): JsonObject {
  if (nestsTooDeeply(text)) {
    throw new MillraceError(
      'malformed',
      `the message nests deeper than ${MAX_DEPTH} levels; send one flat JSON object`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MillraceError('malformed', `the message is not JSON; send one JSON object a message`, {
      cause,
    });
  }
  if (!isObject(value)) {
    throw new MillraceError(
      'malformed',
      `the message is ${describeValue(value)}; send one JSON object a message`,
    );
  }
  return withoutNulls(value);
}

/** A bound on depth, found before anything is built from the text. */
function nestsTooDeeply(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (inString) {
      if (unit === 0x5c) index += 1;
      else if (unit === 0x22) inString = false;
    } else if (unit === 0x22) inString = true;
    else if (unit === 0x7b || unit === 0x5b) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (unit === 0x7d || unit === 0x5d) depth -= 1;
  }
  return false;
}

function readRequest(message: JsonObject): DecodedRequest {
  const method = readMethod(message);
  if (message.data !== undefined && !isObject(message.data)) refuse('data', message.data);
  const input = { ...message, data: withoutNulls(message.data ?? {}) };
  const parsed = REQUEST_SCHEMAS[method].safeParse(input);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path ?? [];
    refuse(path.join('.'), path.reduce<unknown>(member, input));
  }
  const { stream, session = '', id, token, data = {} } = parsed.data;
  if (id === undefined && 'wait_ms' in data && data.wait_ms !== undefined && data.wait_ms > 0) {
    throw new MillraceError(
      'missing_field',
      `"id" is missing and "data.wait_ms" is ${data.wait_ms}; a request that waits needs an "id", as its reply comes out of order`,
    );
  }
  return {
    method,
    stream: method === 'stream.heartbeat' ? asText(stream) : parseStreamName(asText(stream)),
    session: session === '' ? '' : parseSessionId(session),
    ...(id !== undefined && { id }),
    ...(token !== undefined && { token }),
    data,
    // The schema was chosen by the method, which TypeScript cannot follow from a table to a union.
  } as DecodedRequest;
}

/** Another version may have other methods, so the version is looked at first. */
function readMethod({ version, method }: JsonObject): Method {
  if (typeof version === 'string' && version !== PROTOCOL_VERSION) {
    throw new MillraceError(
      'unsupported_version',
      `"version" is ${describeValue(version)}; this server speaks "${PROTOCOL_VERSION}"`,
    );
  }
  if (typeof method !== 'string') refuse('method', method);
  const known = METHODS.find((name) => name === method);
  if (known !== undefined) return known;
  throw new MillraceError(
    'unknown_method',
    `"method" is ${describeValue(method)}; it must be ${FIELD_RULES.method}`,
  );
}

function refuse(path: string, value: unknown): never {
  const field = path.slice(path.lastIndexOf('.') + 1);
  const rule = Object.hasOwn(FIELD_RULES, field) ? FIELD_RULES[field as keyof typeof FIELD_RULES] : 'valid';
  if (value === undefined) throw new MillraceError('missing_field', `"${path}" is missing; send ${rule}`);
  if (field === 'sdp' && typeof value === 'string' && value.length > MAX_SDP_CHARACTERS) {
    throw new MillraceError(
      'too_large',
      `"${path}" has ${value.length} characters; at most ${MAX_SDP_CHARACTERS} are allowed`,
    );
  }
  throw new MillraceError('invalid_field', `"${path}" is ${describeValue(value)}; it must be ${rule}`);
}

function echoOf(message: JsonObject): RequestEcho {
  const id = RequestIdSchema.safeParse(message.id);
  return {
    method: asText(message.method),
    stream: asText(message.stream),
    session: asText(message.session),
    ...(id.success && { id: id.data }),
  };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function member(value: unknown, key: PropertyKey): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[String(key)] : undefined;
}

function withoutNulls(value: JsonObject): JsonObject {
  // fromEntries defines members, so a member named __proto__ stays an ordinary one.
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
