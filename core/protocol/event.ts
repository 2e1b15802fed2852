import { z } from 'zod';
import { PROTOCOL_VERSION } from './message.ts';

/** What the server tells a client that asked for events with `/?events=1`. Events are not answered. */
export const EVENT_METHODS = ['stream.ended', 'stream.moved', 'session.expiring'] as const;
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
  'stream.moved': z.object({ ...head, method: z.literal('stream.moved'), data: z.object({}) }),
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
