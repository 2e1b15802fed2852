import { z } from 'zod';
import { PROTOCOL_VERSION } from './message.ts';

/** What the server tells a client that asked for events with `/?events=1`. Events are not answered. */
export const EVENT_METHODS = ['stream.ended', 'stream.moved', 'record.ended', 'session.expiring'] as const;
export type EventMethod = (typeof EVENT_METHODS)[number];

/**
 * Why a publish or a play ended. One that its own session closed is told by the reply to that. All but the last
 * come from the media server; `not_authorised` is signaling's: the session's latest token does not allow it any more.
 */
export const END_REASONS = [
  'publisher_closed',
  'displaced',
  'transport_lost',
  'media_server_lost',
  'ended_by_operator',
  'session_ended',
  'not_authorised',
] as const;

const head = { version: z.literal(PROTOCOL_VERSION), stream: z.string(), session: z.string() };

/** Each event, whole. */
export const EVENT_SCHEMAS = {
  'stream.ended': z.object({
    ...head,
    method: z.literal('stream.ended'),
    data: z.object({
      role: z.enum(['publish', 'play']).describe("which of the session's two ended"),
      reason: z.enum(END_REASONS).describe('why it ended'),
    }),
  }),
  'stream.moved': z.object({
    ...head,
    method: z.literal('stream.moved'),
    data: z.object({
      role: z.enum(['publish', 'play']).describe('what the session is to do again, on a new transport'),
    }),
  }),
  'record.ended': z.object({
    ...head,
    method: z.literal('record.ended'),
    data: z.object({
      recording: z.string().describe('id of the recording'),
      fileName: z.string().describe('path of its first file; what was asked for where there is none'),
      outcome: z.enum(['completed', 'failed']).describe('whether there is a file'),
      message: z.string().optional().describe('why it failed, for people'),
      duration_ms: z.int().min(0).describe('length of all files together, milliseconds'),
      bytes: z.int().min(0).describe('size of all files together'),
      gaps: z
        .object({
          count: z.int().min(0),
          total_ms: z.int().min(0).describe('in all, milliseconds'),
        })
        .describe('where picture or sound is missing though nobody muted it'),
      files: z
        .array(
          z.object({
            fileName: z.string().describe('its path'),
            location: z.string().describe('its path with the folder or bucket that it is in'),
            duration_ms: z.int().min(0).describe('its length, milliseconds'),
            bytes: z.int().min(0).describe('its size'),
          }),
        )
        .describe('the finished files, in order; one, unless it outgrew the largest file'),
    }),
  }),
  'session.expiring': z.object({
    ...head,
    method: z.literal('session.expiring'),
    stream: z.literal('').describe('always empty: it concerns the whole session'),
    data: z.object({
      expires_at: z.iso.datetime().describe('when the token expires'),
    }),
  }),
} as const satisfies Record<EventMethod, z.ZodObject>;
export type EventData<M extends EventMethod> = z.infer<(typeof EVENT_SCHEMAS)[M]>['data'];
