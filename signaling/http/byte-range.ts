/** Half-open, within the bytes that there are. */
export interface RequestedRange {
  readonly from: number;
  readonly to: number;
}

/**
 * The one range that is asked for: `whole` where none is, several are, or it cannot be read, which may be
 * answered with everything; `unsatisfiable` where it lies behind the end (RFC 9110 sections 14.1.2 and 14.2).
 */
export function requestedRange(
  header: string | undefined,
  bytes: number,
): RequestedRange | 'whole' | 'unsatisfiable' {
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  const [, first = '', last = ''] = found ?? [];
  if (found === null || (first === '' && last === '')) return 'whole';
  if (first === '') {
    const suffix = Math.min(Number(last), bytes);
    return suffix === 0 ? 'unsatisfiable' : { from: bytes - suffix, to: bytes };
  }
  const from = Number(first);
  const to = last === '' ? bytes : Math.min(Number(last) + 1, bytes);
  if (last !== '' && Number(last) < from) return 'whole';
  return from >= bytes ? 'unsatisfiable' : { from, to };
}
