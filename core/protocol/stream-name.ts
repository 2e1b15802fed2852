import { MillraceError } from './error.ts';

/** A stream's name: 1 to 128 Unicode characters (code points), none of them a control character. */
export type StreamName = string & { readonly brand: unique symbol };

const MAX_CODE_POINTS = 128;
// Control characters (Cc), line and paragraph separators, and lone surrogates, which no encoding can carry.
const REFUSED = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;

/**
 * @throws MillraceError `missing_field` when empty, `invalid_field` when too long or with a refused character.
 */
export function parseStreamName(value: string): StreamName {
  if (value === '') throw new MillraceError('missing_field', '"stream" is empty; name the stream');
  const characters = [...value];
  if (characters.length > MAX_CODE_POINTS) {
    throw new MillraceError(
      'invalid_field',
      `"stream" has ${characters.length} characters; at most ${MAX_CODE_POINTS} are allowed`,
    );
  }
  const index = characters.findIndex((character) => REFUSED.test(character));
  if (index !== -1) {
    const code = characters[index]?.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
    throw new MillraceError(
      'invalid_field',
      `"stream" has U+${code} as character ${index + 1}; use no control characters`,
    );
  }
  return value as StreamName;
}
