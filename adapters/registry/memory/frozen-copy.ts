/** A copy of plain data that nobody can change, so it may be handed out as it is. */
export function frozenCopy<T>(value: T): T {
  return freeze(structuredClone(value));
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const field of Object.values(value)) freeze(field);
  return Object.freeze(value);
}
