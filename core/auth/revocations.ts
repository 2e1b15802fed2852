/** Tokens that are no good any more though they have not expired. */
export interface Revocations {
  /** @param id the token's `jti` (RFC 7519 section 4.1.7) */
  has(subject: string, id: string | undefined): boolean;
}

/**
 * Reads a list of revocations: a line `jti ID` takes back one token, `sub NAME` all of a subject. Empty lines, and
 * those that begin with #, say nothing.
 * @throws Error that names the line which is none of these
 */
export function readRevocations(text: string): Revocations & { readonly size: number } {
  const lists = { jti: new Set<string>(), sub: new Set<string>() };
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const entry = line.trim();
    if (entry === '' || entry.startsWith('#')) continue;
    const [, kind, value = ''] = /^(jti|sub)\s+(\S.*)$/.exec(entry) ?? [];
    if (kind !== 'jti' && kind !== 'sub') {
      throw new Error(`line ${index + 1} is neither "jti ID" nor "sub NAME"`);
    }
    lists[kind].add(value);
  }
  return {
    has: (subject, id) => lists.sub.has(subject) || (id !== undefined && lists.jti.has(id)),
    size: lists.jti.size + lists.sub.size,
  };
}
