const MAX_SHOWN_CHARACTERS = 40;

/**
 * A refused value in a few words, for an error message: short ones as JSON, long ones by their size, so that
 * no secret and no SDP is repeated.
 */
export function describeValue(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'string' && value.length > MAX_SHOWN_CHARACTERS) {
    return `a string of ${value.length} characters`;
  }
  // JSON has no infinity, but 1e400 reads as one.
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}
