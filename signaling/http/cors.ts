/** What a page of another origin may use of WHIP and WHEP (Fetch standard, section 3.2; RFC 9725 section 4.2). */
const GRANTED = {
  'Access-Control-Allow-Methods': 'DELETE, GET, OPTIONS, PATCH, POST',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type, If-Match',
  'Access-Control-Expose-Headers': 'Accept-Patch, ETag, Link, Location, Retry-After, WWW-Authenticate',
  'Access-Control-Max-Age': '600',
} as const;

/** @param origin that is allowed here; absent when no page asks, or one of this server's own */
export function corsHeaders(origin: string | undefined): Readonly<Record<string, string>> {
  if (origin === undefined) return { Vary: 'Origin' };
  return { Vary: 'Origin', 'Access-Control-Allow-Origin': origin, ...GRANTED };
}
