import { z } from 'zod';
import { ERROR_CODES, ERROR_TITLES, type ErrorName } from '../protocol/error.ts';

/**
 * Resources of /api/v1, as JSON. A session appears by its public id (`publicSessionId`): its real one is a
 * secret of its client, as whoever knows it can take the session over.
 */
export const MAX_LISTED_PLAYS = 1000;

const bitrateBps = (of: string) => z.number().min(0).describe(`${of}, bit/s`);
const lossRatio = z.number().min(0).max(1).describe('share of RTP packets lost on their way, 0 to 1');
const roundTripMs = z.number().min(0).nullable().describe('milliseconds; null while unknown');
const since = z.iso.datetime().describe('RFC 3339, UTC');

export const PublicSessionIdSchema = z
  .string()
  .regex(/^[0-9a-f]{16}$/)
  .describe("public id of a session: the first 16 hexadecimal digits of its id's SHA-256");

export const MuteStateSchema = z
  .object({ video: z.boolean(), audio: z.boolean() })
  .describe('true = muted; false for a kind that the stream lacks');

export const TrackSchema = z.object({
  kind: z.enum(['audio', 'video']),
  codec: z.enum(['opus', 'VP8', 'VP9', 'H264', 'AV1']),
  encodings: z.int().min(1).describe('simulcast encodings; 1 without simulcast'),
});

export const LayerSchema = z.object({
  rid: z.string().describe('RID of the encoding (RFC 8851); "" without simulcast'),
  bitrate_bps: bitrateBps('received'),
});

export const StreamSchema = z.object({
  name: z.string().min(1),
  node: z.string().describe('the media server that has it'),
  session: PublicSessionIdSchema,
  since,
  live: z.boolean().describe('media arrived within the last 2 s, or the publisher is still connecting'),
  tracks: z.array(TrackSchema),
  muted: MuteStateSchema,
  viewers: z.int().min(0),
  bitrate_bps: bitrateBps('received from the publisher'),
  layers: z.array(LayerSchema).describe('each video encoding, lowest first'),
  loss_ratio: lossRatio,
  round_trip_ms: roundTripMs,
});

export const PlaySchema = z.object({
  session: PublicSessionIdSchema,
  since,
  muted: MuteStateSchema,
  bitrate_bps: bitrateBps('sent to the viewer'),
  spatial_layer: z
    .int()
    .min(0)
    .nullable()
    .describe('layer sent now, 0 the lowest; null with one encoding, or none sent'),
  available_bitrate_bps: bitrateBps('what congestion control found').nullable(),
  loss_ratio: lossRatio,
  round_trip_ms: roundTripMs,
});

export const StreamDetailSchema = StreamSchema.extend({
  plays: z.array(PlaySchema).max(MAX_LISTED_PLAYS).describe(`at most ${MAX_LISTED_PLAYS} of the viewers`),
});

const next = z
  .string()
  .nullable()
  .describe('what to send as `after` for the next page; null behind the last one');

export const StreamListSchema = z.object({
  streams: z.array(StreamSchema).describe('ordered by name, by code point'),
  next,
  unreachable_nodes: z.array(z.string()).describe('media servers whose streams are missing here'),
});

export const SessionSchema = z.object({
  id: PublicSessionIdSchema,
  subject: z.string().describe("the token's subject; empty where authorisation is off"),
  signaling: z.string().describe('the signaling process that serves it'),
  connected: z.boolean().describe('whether its client is connected now'),
  events: z.boolean().describe('whether its client asked for events'),
  holds: z.array(z.object({ stream: z.string(), role: z.enum(['publish', 'play']), node: z.string() })),
});

export const SessionListSchema = z.object({
  sessions: z.array(SessionSchema).describe('ordered by id'),
  next,
});

const names = Object.keys(ERROR_CODES) as [ErrorName, ...ErrorName[]];

/** RFC 9457. `code` and `name` are those of the error table. */
export const ProblemSchema = z.object({
  type: z.string().describe('tag URI that ends in the name'),
  title: z.enum(Object.values(ERROR_TITLES) as [string, ...string[]]),
  status: z.int().min(400).max(599),
  detail: z.string().describe('what was wrong, with which value, and what to do'),
  code: z.literal(Object.values(ERROR_CODES)),
  name: z.enum(names),
});

export const DEFAULT_PAGE_LIMIT = 100;
export const MAX_PAGE_LIMIT = 1000;

export const PageQuerySchema = z.object({
  after: z.string().min(1).optional(),
  limit: z.int().min(1).max(MAX_PAGE_LIMIT).default(DEFAULT_PAGE_LIMIT),
});
export type PageQuery = z.infer<typeof PageQuerySchema>;

export type StreamResource = z.infer<typeof StreamSchema>;
export type StreamDetail = z.infer<typeof StreamDetailSchema>;
export type StreamList = z.infer<typeof StreamListSchema>;
export type PlayResource = z.infer<typeof PlaySchema>;
export type SessionResource = z.infer<typeof SessionSchema>;
export type SessionList = z.infer<typeof SessionListSchema>;
export type Problem = z.infer<typeof ProblemSchema>;
