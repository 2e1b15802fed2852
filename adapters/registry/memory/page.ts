import { compareByCodePoint } from '../../../core/registry/order.ts';
import type { Page } from '../../../core/registry/registry.ts';

/** One page of the entries, ordered by their keys. */
export function pageOf<Value>(entries: ReadonlyMap<string, Value>, { after, limit }: Page): Value[] {
  return [...entries]
    .filter(([key]) => after === undefined || compareByCodePoint(key, after) > 0)
    .sort(([a], [b]) => compareByCodePoint(a, b))
    .slice(0, limit)
    .map(([, value]) => value);
}
