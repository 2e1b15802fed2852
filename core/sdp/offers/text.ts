import assert from 'node:assert/strict';

/** The text with every match replaced; a test whose pattern matches nothing tests nothing. */
export function replaced(text: string, pattern: string | RegExp, by: string): string {
  const changed = text.replaceAll(typeof pattern === 'string' ? pattern : new RegExp(pattern, 'gm'), by);
  assert.notEqual(changed, text, `${pattern} is not in the offer`);
  return changed;
}

/** Lines of the section with a mid. */
export function sectionOf(text: string, mid: string): string[] {
  const sections = text.split(/^(?=m=)/m).slice(1);
  const section = sections
    .map((entry) => entry.trimEnd().split('\r\n'))
    .find((lines) => lines.includes(`a=mid:${mid}`));
  assert.ok(section, `no section with mid ${mid}`);
  return section;
}

/** The m-line of the section with a mid. */
export function mLineOf(text: string, mid: string): string {
  return sectionOf(text, mid)[0] ?? '';
}

/** Lines of a section that begin so. */
export function linesOf(text: string, mid: string, prefix: string): string[] {
  return sectionOf(text, mid).filter((line) => line.startsWith(prefix));
}

/** The BUNDLE group of a text. */
export function bundleLineOf(text: string): string | undefined {
  return text.split('\r\n').find((line) => line.startsWith('a=group:BUNDLE'));
}
