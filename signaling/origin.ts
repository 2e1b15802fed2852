import { isIP } from 'node:net';
import { isLoopback, plainAddress } from './limits/client-address.ts';

/** What a request says of where it comes from. */
export interface RequestOrigin {
  /** The `Origin` header; absent for everything but web pages. */
  readonly origin: string | undefined;
  /** The `Host` header. */
  readonly host: string | undefined;
  /** The address at this end of the connection. */
  readonly localAddress: string | undefined;
}

/**
 * Whether a web page may use this server: one that this server (or its own host name) served, or one that the
 * settings list. Without that, any page that a user looks at could drive a server on the user's own machine.
 */
export function originAllowed(request: RequestOrigin, allowed: readonly string[]): boolean {
  if (request.origin === undefined || allowed.includes('*')) return true;
  const origin = request.origin.toLowerCase();
  if (allowed.some((entry) => entry.toLowerCase().replace(/\/$/, '') === origin)) return true;
  const host = request.host?.toLowerCase();
  return host !== undefined && hostOf(origin) === host && hostTrusted(request, allowed);
}

/**
 * On a loopback address only names that always mean this machine are trusted: a page whose own name was
 * pointed at 127.0.0.1 (DNS rebinding) is of the same origin as far as its browser can tell.
 */
export function hostTrusted(request: RequestOrigin, allowed: readonly string[]): boolean {
  if (
    request.host === undefined ||
    !isLoopback(plainAddress(request.localAddress ?? '')) ||
    allowed.includes('*')
  )
    return true;
  const host = request.host.toLowerCase();
  if (allowed.some((entry) => hostOf(entry.toLowerCase()) === host)) return true;
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0;
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
