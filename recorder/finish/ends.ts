import { buildCues } from '../webm/cues.ts';
import { buildHead } from '../webm/head.ts';
import type { FileEnds } from './unfinished-file.ts';

/** Of all parts but the last: the least that S3 takes, and equal because some stores want that. */
export const PART_BYTES = 5 * 1024 * 1024;

export const webmEnds: FileEnds = { head: buildHead, cues: buildCues };
