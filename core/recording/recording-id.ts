import { MillraceError } from '../protocol/error.ts';
import type { RecordingId } from './recording.ts';

const PATTERN = /^[0-9a-f]{32}$/;

/** @param randomBytes a source of cryptographically strong random bytes */
export function newRecordingId(randomBytes: (count: number) => Uint8Array): RecordingId {
  return Buffer.from(randomBytes(16)).toString('hex') as RecordingId;
}

export function isRecordingId(value: string): value is RecordingId {
  return PATTERN.test(value);
}

/** @throws MillraceError `recording_not_running` for what no server of this kind ever gave out */
export function parseRecordingId(value: string): RecordingId {
  if (isRecordingId(value)) return value;
  throw new MillraceError(
    'recording_not_running',
    `a string of ${value.length} characters is no recording's id, which has 32 digits of hexadecimal`,
  );
}
