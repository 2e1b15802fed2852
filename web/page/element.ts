/** The element of this id. @throws when the page has none of that kind: a mistake in index.html */
export function byId<Kind extends Element>(id: string, Kind: new () => Kind): Kind {
  const element = document.getElementById(id);
  if (!(element instanceof Kind)) throw new Error(`index.html has no ${Kind.name} with the id "${id}"`);
  return element;
}

type Child = Node | string;

/** A new element: `make('p', { class: 'note' }, 'text')`. Attributes only; no style, which the page's policy forbids. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

export function makeSvg(
  name: string,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly SVGElement[]
): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** One of the icons of index.html. */
export function icon(name: string): SVGElement {
  return makeSvg('svg', { 'aria-hidden': 'true' }, makeSvg('use', { href: `#icon-${name}` }));
}

/** Writes only what changed, so that a screen reader reads only what changed. */
export function setText(element: Element, value: string): void {
  if (element.textContent !== value) element.textContent = value;
}
