import type { IncomingMessage } from 'node:http';

/** RFC 6750 section 2.1. */
export function bearerToken(request: IncomingMessage): string | undefined {
  return /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
}
