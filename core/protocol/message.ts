import { z } from 'zod';

/** Messages of the client protocol, version 1.0: one schema each. docs/protocol.md explains them. */
export const PROTOCOL_VERSION = '1.0';
export const MAX_MESSAGE_BYTES = 256 * 1024;

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

export const RequestIdSchema = z.union([z.string().max(128), z.number()]);
export type RequestId = z.infer<typeof RequestIdSchema>;

/** The envelope of every request, before its method's data is looked at. */
export const RequestSchema = z.object({
  version: z.string().optional(),
  method: z.string(),
  stream: z.string().optional(),
  session: z.string().optional(),
  id: RequestIdSchema.optional(),
  token: z.string().max(16_384).optional(),
  data: z.record(z.string(), z.unknown()).optional(),
});
export type Request = z.infer<typeof RequestSchema>;

export const RoleSchema = z.enum(['publish', 'play']);

export const PublishDataSchema = z.object({
  sdp: z.string().min(1),
  /** bit/s, any integer 0..2^64-1; 0 or absent = the server's default. Above the server's limit it is lowered. */
  max_bitrate: z.number().nonnegative().optional(),
});
export const PlayDataSchema = z.object({
  sdp: z.string().min(1),
  /** How long to wait for a stream that is not there yet. Above 0 needs an `id`. */
  wait_ms: z.number().int().min(0).max(60_000).optional(),
});
export const MuteDataSchema = z.object({
  video: z.boolean().optional(),
  audio: z.boolean().optional(),
  role: RoleSchema.optional(),
});
export const CloseDataSchema = z.object({ role: RoleSchema.optional() });
export const HeartbeatDataSchema = z.object({ token: z.string().max(16_384).optional() });

export interface Reply {
  readonly version: string;
  readonly err: number;
  readonly err_msg: string;
  readonly method: string;
  readonly stream: string;
  readonly session: string;
  readonly id?: RequestId;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Event {
  readonly version: string;
  readonly method: 'stream.ended' | 'stream.moved' | 'record.ended' | 'session.expiring';
  readonly stream: string;
  readonly session: string;
  readonly data: Readonly<Record<string, unknown>>;
}
