import { createHash } from 'node:crypto';
import { MillraceError } from '../protocol/error.ts';
import type { StreamName } from '../protocol/stream-name.ts';
import type { RecordingEpoch, RecordingKey } from './recording.ts';

const EXTENSION = '.webm';
/** With what roll-overs, epochs and a storage prefix add it stays below S3's 1024. */
const MAX_BYTES = 512;
/** With what is added below the 255 that file systems take between two slashes. */
const MAX_PART_BYTES = 200;
const MAX_SLUG = 64;

/**
 * What a client may call a recording's file: a relative path with `/` between its parts. A name that does not
 * end in `.webm` gets it appended.
 *
 * @throws MillraceError `name_refused` for an absolute path, an empty part, a part that begins with a dot
 *   (`..` among them), a backslash, control characters, spaces around a part, broken Unicode, more than 200
 *   bytes between two slashes or 512 in all
 */
export function parseFileName(text: string): RecordingKey {
  const key = new RegExp(`\\${EXTENSION}$`, 'i').test(text) ? text : `${text}${EXTENSION}`;
  const why = text === '' ? 'it is empty' : problemOf(key);
  if (why === undefined) return key as RecordingKey;
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  throw new MillraceError(
    'name_refused',
    `the file name ${JSON.stringify(shown)} is not allowed: ${why}; use a relative path such as "live/a.webm"`,
  );
}

function problemOf(key: string): string | undefined {
  if (!key.isWellFormed()) return 'it is no valid Unicode';
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(key)) return 'it has control characters';
  if (key.includes('\\')) return 'it has a backslash';
  if (key.startsWith('/')) return 'it is absolute';
  if (Buffer.byteLength(key) > MAX_BYTES) return `it is longer than ${MAX_BYTES} bytes`;
  for (const part of key.split('/')) {
    if (part === '') return 'a part between slashes is empty';
    if (part.startsWith('.')) return `a part begins with a dot`;
    if (part !== part.trim()) return 'a part begins or ends with a space';
    if (Buffer.byteLength(part) > MAX_PART_BYTES) return `a part is longer than ${MAX_PART_BYTES} bytes`;
  }
  return undefined;
}

/**
 * The name for a recording whose client gave none: the stream's name and the time in UTC, to the second, such
 * as `123456-20201123-231523.webm`. Where something of the stream's name cannot stand in a file's name, a
 * part of its hash tells it from others.
 */
export function defaultFileName(stream: StreamName, nowMs: number): RecordingKey {
  const kept = stream.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replaceAll(/^[.-]+|-+$/g, '');
  const slug = kept.slice(0, MAX_SLUG);
  const hash = createHash('sha256').update(stream).digest('hex').slice(0, 8);
  const name = slug === stream ? slug : [slug, hash].filter(Boolean).join('-');
  const time = new Date(nowMs).toISOString().replace(/\..*$/, '').replaceAll(/[-:]/g, '').replace('T', '-');
  return `${name}-${time}${EXTENSION}` as RecordingKey;
}

/** The name of a recording's `n`th file, from 1: `a.webm`, `a-2.webm`, ... */
export function rolledOver(key: RecordingKey, n: number): RecordingKey {
  return n === 1 ? key : extended(key, `-${n}`);
}

/** The name for a file whose own was taken by others meanwhile: `a.65536.webm`. */
export function displaced(key: RecordingKey, epoch: RecordingEpoch): RecordingKey {
  return extended(key, `.${epoch}`);
}

function extended(key: RecordingKey, middle: string): RecordingKey {
  const stem = key.slice(0, -EXTENSION.length);
  return `${stem}${middle}${key.slice(stem.length)}` as RecordingKey;
}
