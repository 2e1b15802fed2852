import { type IceServer, wantsCredentials } from '../ice/index.ts';

/**
 * The value of a `Link` header that names ICE servers (RFC 9725 section 4.6, RFC 8288); undefined where there is none.
 * The query of a TURN URL belongs to its transport, and stays in the link's target.
 */
export function iceServerLinks(servers: readonly IceServer[]): string | undefined {
  const links = servers.flatMap(({ urls, username, credential }) =>
    urls.map((url) => {
      const login =
        wantsCredentials(url) && username !== undefined && credential !== undefined
          ? `; username=${quoted(username)}; credential=${quoted(credential)}; credential-type="password"`
          : '';
      return `<${url}>; rel="ice-server"${login}`;
    }),
  );
  return links.length === 0 ? undefined : links.join(', ');
}

/** A quoted-string (RFC 9110 section 5.6.4). */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
