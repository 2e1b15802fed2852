import { z } from 'zod';

/** What a timeline leaves for the one that goes on with its file. */
export type TimelineState = z.infer<typeof timelineState>;

const encoding = z.object({ producerId: z.string(), encoding: z.int().nonnegative() }).readonly();
const gapReason = z.enum(['loss', 'publisher_away', 'recorder_lost', 'spool_full']);
const clock = encoding.unwrap().extend({
  rateHz: z.number().positive(),
  lastRtp: z.number().optional(),
  baseMs: z.number().optional(),
  provisional: z.boolean(),
  arrivalMs: z.number().optional(),
  reportedAtMs: z.number().optional(),
  reports: z.array(z.number()).readonly(),
  suspects: z.array(z.number()).readonly(),
  compared: encoding
    .unwrap()
    .extend({
      differences: z.array(z.number()).readonly(),
      otherAtMs: z.number().optional(),
      apartMs: z.number().optional(),
    })
    .optional(),
});
const gap = z.object({
  kind: z.enum(['audio', 'video']),
  fromMs: z.number(),
  toMs: z.number(),
  reason: gapReason,
});

const timelineState = z
  .object({
    /** Whose clock `atMs` and all times within `clocks` are by. */
    receiver: z.string(),
    /** Of the newest event. */
    atMs: z.number(),
    /** Time of day then. */
    unixMs: z.number(),
    /** Of the file. */
    startedAtMs: z.number(),
    /** Length of the recording's earlier files. */
    beforeMs: z.number().nonnegative(),
    clocks: z.object({
      encodings: z.array(clock).readonly(),
      reports: z.object({
        offsets: z.array(z.number()).readonly(),
        suspects: z.array(z.number()).readonly(),
      }),
      anchorMs: z.number().optional(),
    }),
    sound: z.object({
      end: z.number().optional(),
      quietFrom: z.number().optional(),
      muted: z.boolean(),
      cause: gapReason.optional(),
    }),
    soundEncoding: encoding.optional(),
    /** Tracks of that receiver that sound and picture came from. */
    soundTrack: z.int(),
    pictureTrack: z.int(),
    picture: z.object({
      lastMs: z.number().optional(),
      lastRtp: z.number().optional(),
      intervalMs: z.number(),
      broken: z.boolean(),
      muted: z.boolean(),
      cause: gapReason.optional(),
    }),
    pictureEncoding: encoding.optional(),
    gaps: z.array(gap).readonly(),
  })
  .readonly();

/** @returns undefined for what no timeline of this version left */
export function parseTimelineState(state: unknown): TimelineState | undefined {
  return timelineState.safeParse(state).data;
}
