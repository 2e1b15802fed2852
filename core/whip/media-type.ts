/** Whether a `Content-Type` header names this type, whatever its parameters (RFC 9110 section 8.3.1). */
export function isMediaType(header: string | undefined, type: string): boolean {
  return essence(header ?? '') === type;
}

/** Whether an `Accept` header takes this type (RFC 9110 section 12.5.1); one that is absent takes all. */
export function accepts(header: string | undefined, type: string): boolean {
  if (header === undefined || header.trim() === '') return true;
  const family = `${type.split('/')[0]}/*`;
  // The range that says most decides, so that `q=0` can take one type out of a wider range.
  for (const range of [type, family, '*/*']) {
    const given = header.split(',').find((part) => essence(part) === range);
    if (given !== undefined) return !/;\s*q=0(\.0*)?\s*(;|$)/i.test(given);
  }
  return false;
}

function essence(value: string): string {
  return (value.split(';')[0] ?? '').trim().toLowerCase();
}
