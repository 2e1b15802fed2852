import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Asset } from '../assets.ts';

/** The page runs what this server serves, talks to this server, and shows what it made itself; nobody may frame it. */
const PAGE_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
    "media-src 'self' blob: mediastream:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
} as const;

/** Answers GET and HEAD with a file, or with 304 when the client has it (RFC 9110 section 13.1.2). */
export function serveAsset(request: IncomingMessage, response: ServerResponse, found: Asset): void {
  response.setHeader('ETag', found.etag);
  response.setHeader('Cache-Control', 'no-cache');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  if (hasTag(request.headers['if-none-match'], found.etag)) {
    response.writeHead(304).end();
    return;
  }
  if (found.type.startsWith('text/html')) {
    for (const [name, value] of Object.entries(PAGE_HEADERS)) response.setHeader(name, value);
  }
  response.writeHead(200, { 'Content-Type': found.type, 'Content-Length': found.body.length });
  response.end(request.method === 'HEAD' ? undefined : found.body);
}

function hasTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((entry) => {
    const tag = entry.trim().replace(/^W\//, '');
    return tag === etag || tag === '*';
  });
}
