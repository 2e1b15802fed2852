import type { Logger } from 'pino';
import { MillraceError } from '../../core/protocol/error.ts';
import { HEAD_BYTES } from '../chunk.ts';
import { getObject, type Storage } from '../store/storage.ts';
import type { UnfinishedFile } from './unfinished-file.ts';

/**
 * What can be saved of a file whose upload was aborted by others, its parts with it: what the object with its
 * first part holds, up to the last cluster that begins there with a key frame.
 *
 * @throws MillraceError `internal` when that is nothing
 */
export async function salvage(storage: Storage, file: UnfinishedFile, log: Logger): Promise<UnfinishedFile> {
  const { reservation, head, upload: _, ...rest } = file;
  const bytes = head === undefined ? undefined : await getObject(storage, head);
  const cut = file.cues.findLast(({ offset }) => offset > HEAD_BYTES && offset <= (bytes?.length ?? 0));
  if (!bytes || !cut) {
    throw new MillraceError(
      'internal',
      `${reservation.key}: its upload was aborted by others, its parts are lost`,
    );
  }
  log.error(
    { key: reservation.key, lostMs: file.durationMs - cut.timeMs },
    'the upload was aborted by others: only the beginning of the file is left; does a rule abort long uploads?',
  );
  const listed = file.gaps.listed.filter(({ toMs }) => toMs <= cut.timeMs);
  return {
    ...rest,
    reservation,
    parts: [],
    nextPartNumber: 2,
    coveredTo: 0,
    endOffset: cut.offset,
    durationMs: cut.timeMs,
    cues: file.cues.filter(({ offset }) => offset < cut.offset),
    gaps: {
      count: listed.length,
      totalMs: listed.reduce((sum, { fromMs, toMs }) => sum + (toMs - fromMs), 0),
      listed,
    },
    read: async (from, to) => bytes.subarray(from, to),
  };
}
