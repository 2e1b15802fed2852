/** What the page's address asks for: `?play=name`, or `?publish=name&source=pattern`. */
export interface Wish {
  readonly play: string | null;
  readonly publish: string | null;
  readonly source: string | null;
}

export function readWish(search: string): Wish {
  const query = new URLSearchParams(search);
  return {
    play: query.get('play') || null,
    publish: query.get('publish') || null,
    source: query.get('source'),
  };
}

/** The address that plays a stream at once. */
export function playLink(pageAddress: string, stream: string): string {
  const link = new URL(pageAddress);
  link.search = new URLSearchParams({ play: stream }).toString();
  link.hash = '';
  return link.href;
}
