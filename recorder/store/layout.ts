import type { RecordingEpoch, RecordingId } from '../../core/recording/recording.ts';
import { isRecordingId } from '../../core/recording/recording-id.ts';

/**
 * Where a recording's objects lie until it is complete:
 *
 *     .millrace/<id>/spec.json                      there from before its first object until after its last
 *     .millrace/<id>/<file>/claims/<epoch>          a writer has begun; the highest one is the writer
 *     .millrace/<id>/<file>/<epoch>/<n>.tail        a chunk
 *     .millrace/<id>/<file>/<epoch>/<n>.checkpoint  what lies before the tails from there on
 *     .millrace/<id>/<file>/<epoch>/head            the file's first part
 *     .millrace/<id>/<file>/done.json               the file is complete, the recording not yet
 *
 * Numbers are padded, so that a list is in their order. The spool's paths are the same below its folder.
 */
const ROOT = '.millrace/';
const FILE_DIGITS = 6;
const EPOCH_DIGITS = 15;
const COUNT_DIGITS = 9;

export type StoredKey =
  | { readonly kind: 'spec'; readonly id: RecordingId }
  | { readonly kind: 'done'; readonly id: RecordingId; readonly file: number }
  | {
      readonly kind: 'claim' | 'head';
      readonly id: RecordingId;
      readonly file: number;
      readonly epoch: RecordingEpoch;
    }
  | {
      readonly kind: 'tail' | 'checkpoint';
      readonly id: RecordingId;
      readonly file: number;
      readonly epoch: RecordingEpoch;
      readonly n: number;
    };

/** Everything of recordings that are not complete. */
export const UNFINISHED = ROOT;

export function recordingPrefix(id: RecordingId): string {
  return `${ROOT}${id}/`;
}

export function specKey(id: RecordingId): string {
  return `${recordingPrefix(id)}spec.json`;
}

export function filePrefix(id: RecordingId, file: number): string {
  return `${recordingPrefix(id)}${padded(file, FILE_DIGITS)}/`;
}

export function doneKey(id: RecordingId, file: number): string {
  return `${filePrefix(id, file)}done.json`;
}

export function claimsPrefix(id: RecordingId, file: number): string {
  return `${filePrefix(id, file)}claims/`;
}

export function claimKey(id: RecordingId, file: number, epoch: RecordingEpoch): string {
  return `${claimsPrefix(id, file)}${padded(epoch, EPOCH_DIGITS)}`;
}

export function epochPrefix(id: RecordingId, file: number, epoch: RecordingEpoch): string {
  return `${filePrefix(id, file)}${padded(epoch, EPOCH_DIGITS)}/`;
}

export function tailKey(id: RecordingId, file: number, epoch: RecordingEpoch, n: number): string {
  return `${epochPrefix(id, file, epoch)}${padded(n, COUNT_DIGITS)}.tail`;
}

export function checkpointKey(id: RecordingId, file: number, epoch: RecordingEpoch, n: number): string {
  return `${epochPrefix(id, file, epoch)}${padded(n, COUNT_DIGITS)}.checkpoint`;
}

export function headKey(id: RecordingId, file: number, epoch: RecordingEpoch): string {
  return `${epochPrefix(id, file, epoch)}head`;
}

/** undefined for what is none of these: others may keep things there too. */
export function parseKey(key: string): StoredKey | undefined {
  if (!key.startsWith(ROOT)) return undefined;
  const [id = '', file = '', folder = '', name, ...rest] = key.slice(ROOT.length).split('/');
  if (!isRecordingId(id) || rest.length > 0) return undefined;
  if (file === 'spec.json') return folder === '' ? { kind: 'spec', id } : undefined;
  if (!isPadded(file, FILE_DIGITS)) return undefined;
  const inFile = { id, file: Number(file) };
  if (name === undefined) return folder === 'done.json' ? { kind: 'done', ...inFile } : undefined;
  if (folder === 'claims') {
    return isPadded(name, EPOCH_DIGITS) ? { kind: 'claim', ...inFile, epoch: Number(name) } : undefined;
  }
  if (!isPadded(folder, EPOCH_DIGITS)) return undefined;
  const inEpoch = { ...inFile, epoch: Number(folder) };
  if (name === 'head') return { kind: 'head', ...inEpoch };
  const [n = '', kind, ...more] = name.split('.');
  if (more.length > 0 || !isPadded(n, COUNT_DIGITS) || (kind !== 'tail' && kind !== 'checkpoint'))
    return undefined;
  return { kind, ...inEpoch, n: Number(n) };
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}

function isPadded(text: string, digits: number): boolean {
  return text.length === digits && /^\d+$/.test(text);
}
