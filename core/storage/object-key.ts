import { MillraceError } from '../protocol/error.ts';

/** S3's limit, of which a prefix takes its share. */
const MAX_KEY_BYTES = 1024;
/** What file systems take between two slashes. */
const MAX_PART_BYTES = 255;

/**
 * The last defence of an adapter: keys are checked before they come here, and one that could leave its
 * place is refused all the same.
 *
 * @throws MillraceError `name_refused`
 */
export function checkObjectKey(key: string): void {
  const why = problemOf(key);
  if (why !== undefined) {
    throw new MillraceError('name_refused', `the key ${JSON.stringify(key)} is not allowed: ${why}`);
  }
}

function problemOf(key: string): string | undefined {
  if (key === '') return 'it is empty';
  if (!key.isWellFormed()) return 'it is no valid Unicode';
  if (/\p{Cc}/u.test(key)) return 'it has control characters';
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return `it is longer than ${MAX_KEY_BYTES} bytes`;
  for (const part of key.split('/')) {
    if (part === '') return 'a part between slashes is empty';
    if (part === '.' || part === '..') return `"${part}" is no part of a key`;
    if (Buffer.byteLength(part) > MAX_PART_BYTES) return `a part is longer than ${MAX_PART_BYTES} bytes`;
  }
  return undefined;
}

/** Order of keys in a list: by their bytes in UTF-8, as S3 has it, which is not that of JavaScript's strings. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
