import { z } from 'zod';

/** Requests of the client protocol, version 1.0: one schema each. docs/protocol.md explains them. */
export const PROTOCOL_VERSION = '1.0';
/** A longer `sdp` is refused with `too_large`. Browsers' offers have 2 to 15 thousand characters. */
export const MAX_SDP_CHARACTERS = 128 * 1024;

export const METHODS = [
  'stream.publish',
  'stream.play',
  'stream.mute',
  'stream.close',
  'stream.heartbeat',
  'record.start',
  'record.stop',
] as const;
export type Method = (typeof METHODS)[number];

/** What each field must be: its description in the schema, and the end of the message that refuses a value. */
export const FIELD_RULES = {
  version: `the string "${PROTOCOL_VERSION}"`,
  method: `one of ${METHODS.join(', ')}`,
  stream: 'a string of 1 to 128 characters, the name of the stream',
  session: 'a string, the id that the server gave, or "" for this connection\'s session',
  id: 'a string of at most 128 characters, or a number whose size is at most 2^53-1',
  token: 'a string of at most 16384 characters',
  data: 'an object',
  sdp: 'a string, the SDP offer (RFC 8866)',
  max_bitrate: 'an integer from 0 to 18446744073709551615, in bit/s; 0 means the default',
  wait_ms: 'an integer from 0 to 60000, in milliseconds; above 0 the request needs an "id"',
  video: 'true (muted) or false',
  audio: 'true (muted) or false',
  role: '"publish" or "play"',
  fileName: 'a string, a relative path such as 123456-20201123-231523.webm',
} as const;

const sdp = z.string().min(1).max(MAX_SDP_CHARACTERS).describe(FIELD_RULES.sdp);
const role = z.enum(['publish', 'play']).describe(FIELD_RULES.role).optional();
const token = z.string().max(16_384).describe(FIELD_RULES.token).optional();
const fileName = z.string().min(1).describe(FIELD_RULES.fileName).optional();
const version = z.literal(PROTOCOL_VERSION).describe(FIELD_RULES.version);
// zod counts UTF-16 units and JSON Schema code points, as the rule does: parseStreamName checks the length.
const stream = z.string().meta({ minLength: 1, maxLength: 128, description: FIELD_RULES.stream });

export const RequestIdSchema = z
  .union([z.string().max(128), z.number().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER)])
  .describe(FIELD_RULES.id);
export type RequestId = z.infer<typeof RequestIdSchema>;

const PublishDataSchema = z.object({
  sdp,
  max_bitrate: z
    .number()
    .min(0)
    // 2^64, not 2^64-1: the double that the largest uint64 reads as.
    .max(2 ** 64)
    .refine(Number.isInteger)
    .meta({ type: 'integer', format: 'uint64', description: FIELD_RULES.max_bitrate })
    .optional(),
});
const PlayDataSchema = z.object({
  sdp,
  wait_ms: z.int().min(0).max(60_000).describe(FIELD_RULES.wait_ms).optional(),
});
const MuteDataSchema = z.object({
  video: z.boolean().describe(FIELD_RULES.video).optional(),
  audio: z.boolean().describe(FIELD_RULES.audio).optional(),
  role,
});
const CloseDataSchema = z.object({ role });
const HeartbeatDataSchema = z.object({ token });
const RecordStartDataSchema = z.object({ fileName });
const RecordStopDataSchema = z.object({ fileName });

const optionalFields = {
  session: z.string().describe(FIELD_RULES.session).optional(),
  id: RequestIdSchema.optional(),
  token,
};

/** Each request, whole. Unknown fields are ignored; the server reads a field that is null as absent. */
export const REQUEST_SCHEMAS = {
  'stream.publish': z.object({
    version,
    method: z.literal('stream.publish'),
    stream,
    ...optionalFields,
    data: PublishDataSchema,
  }),
  'stream.play': z.object({
    version,
    method: z.literal('stream.play'),
    stream,
    ...optionalFields,
    data: PlayDataSchema,
  }),
  'stream.mute': z.object({
    version,
    method: z.literal('stream.mute'),
    stream,
    ...optionalFields,
    data: MuteDataSchema.optional(),
  }),
  'stream.close': z.object({
    version,
    method: z.literal('stream.close'),
    stream,
    ...optionalFields,
    data: CloseDataSchema.optional(),
  }),
  'stream.heartbeat': z.object({
    version,
    method: z.literal('stream.heartbeat'),
    stream: z.unknown().describe('not checked').optional(),
    ...optionalFields,
    data: HeartbeatDataSchema.optional(),
  }),
  'record.start': z.object({
    version: version.optional(),
    method: z.literal('record.start'),
    stream,
    ...optionalFields,
    data: RecordStartDataSchema.optional(),
  }),
  'record.stop': z.object({
    version: version.optional(),
    method: z.literal('record.stop'),
    stream,
    ...optionalFields,
    data: RecordStopDataSchema.optional(),
  }),
} as const satisfies Record<Method, z.ZodObject>;

/** A request's `data` as its schema reads it; `{}` where an absent one is allowed. */
export type RequestData<M extends Method> = NonNullable<z.infer<(typeof REQUEST_SCHEMAS)[M]>['data']>;
