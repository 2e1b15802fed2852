/**
 * Whether an `If-Match` header lets a request pass for a resource that is there (RFC 9110 section 13.1.1).
 * Tags are compared strongly; `"*"` counts as `*`, because the examples of RFC 9725 write it so.
 *
 * @param tag the resource's own, with its quotes
 */
export function ifMatch(header: string, tag: string): boolean {
  return header
    .split(',')
    .map((part) => part.trim())
    .some((part) => part === '*' || part === '"*"' || part === tag);
}
