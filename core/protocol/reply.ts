import { z } from 'zod';
import { ERROR_CODES } from './error.ts';
import { type Method, PROTOCOL_VERSION, RequestIdSchema } from './message.ts';

/** Whether a reply's `method` repeats the request's or is the word `ack`. */
export const REPLY_METHODS = ['echo', 'ack'] as const;
export type ReplyMethod = (typeof REPLY_METHODS)[number];

/** `err_msg` of a success: the protocol document's own word for each method. */
export const SUCCESS_WORDS = {
  'stream.publish': 'success',
  'stream.play': 'success',
  'stream.mute': 'succeed',
  'stream.close': 'succeed',
  'stream.heartbeat': 'succeed',
  'record.start': 'succeed',
  'record.stop': 'succeed',
} as const satisfies Record<Method, string>;

const sdp = z.string().min(1).describe('the SDP answer (RFC 8866)');

const PublishReplyDataSchema = z.object({ sdp });
const PlayReplyDataSchema = z.object({ sdp });
const MuteReplyDataSchema = z.object({
  video: z.boolean().describe('whether the picture is muted now; false for a stream without one'),
  audio: z.boolean().describe('whether the sound is muted now; false for a stream without any'),
});
const EmptyDataSchema = z.object({});
/** `ice_servers` has the shape of WebRTC's RTCIceServer, and is there when the server has TURN configured. */
const HeartbeatReplyDataSchema = z.object({
  ice_servers: z
    .array(
      z.object({
        urls: z.union([z.string(), z.array(z.string())]),
        username: z.string().optional(),
        credential: z.string().optional(),
      }),
    )
    .describe('TURN servers to use for new connections')
    .optional(),
});

const recording = z.string().describe('id of the recording, 32 hexadecimal digits');
const fileName = z.string().describe("path of the file, below the server's folder or prefix of recordings");
const RecordStartReplyDataSchema = z.object({
  fileName,
  recording,
  started_at: z.iso.datetime().describe('time of the first media in the file'),
});
const RecordStopReplyDataSchema = z.object({
  recordings: z
    .array(z.object({ recording, fileName }))
    .describe('each file, complete; several of one recording where it outgrew the largest file'),
});

function reply<M extends Method, D extends z.ZodObject>(method: M, data: D) {
  return z.object({
    version: z.literal(PROTOCOL_VERSION),
    err: z.literal(0),
    err_msg: z.literal(SUCCESS_WORDS[method]),
    method: z.enum([method, 'ack']).describe('the method of the request, or "ack" where that was asked for'),
    stream: z.string().describe('the stream of the request'),
    session: z.string().describe("this connection's session"),
    id: RequestIdSchema.optional(),
    data,
  });
}

/** Each successful reply, whole. */
export const REPLY_SCHEMAS = {
  'stream.publish': reply('stream.publish', PublishReplyDataSchema),
  'stream.play': reply('stream.play', PlayReplyDataSchema),
  'stream.mute': reply('stream.mute', MuteReplyDataSchema),
  'stream.close': reply('stream.close', EmptyDataSchema),
  'stream.heartbeat': reply('stream.heartbeat', HeartbeatReplyDataSchema),
  'record.start': reply('record.start', RecordStartReplyDataSchema),
  'record.stop': reply('record.stop', RecordStopReplyDataSchema),
} as const satisfies Record<Method, z.ZodObject>;
export type ReplyData<M extends Method> = z.infer<(typeof REPLY_SCHEMAS)[M]>['data'];

/** The reply to a request that failed. */
export const ErrorReplySchema = z.object({
  version: z.literal(PROTOCOL_VERSION),
  err: z.literal(Object.values(ERROR_CODES)).describe('a code of the error table'),
  err_msg: z.string().min(1).describe('what was wrong, with which value, and what to do; for people'),
  method: z.string().describe('the method of the request as far as it could be read, or "ack"'),
  stream: z.string().describe('the stream of the request as far as it could be read'),
  session: z.string().describe('this connection\'s session; "" while it has none'),
  id: RequestIdSchema.optional(),
  data: z.strictObject({}),
});
