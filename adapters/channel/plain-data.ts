/**
 * A copy of plain JSON data: null, booleans, finite numbers, strings, arrays, and objects made of them.
 * Fields that are undefined are left out, as JSON does.
 *
 * @throws TypeError for anything else, which JSON would change or drop without a word
 */
export function copyPlainData<T>(value: T): T {
  return copy(value, '') as T; // the copy has the shape of what was copied
}

function copy(value: unknown, path: string): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((item, index) => copy(item, `${path}[${index}]`));
  if (isPlainObject(value)) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return Object.fromEntries(fields.map(([key, field]) => [key, copy(field, `${path}.${key}`)]));
  }
  throw new TypeError(`${path === '' ? 'the value' : path} is not plain data: ${String(value)}`);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
