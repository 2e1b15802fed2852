const STORE = 'millrace-token';
let token: string | undefined;

/**
 * Takes the token out of `#token=...` in the page's address, where it would stand in bookmarks, shared links and
 * pictures of the screen, and keeps it for this tab. Without one there, the tab's own is taken up again.
 */
export function startToken(): void {
  const fragment = new URLSearchParams(location.hash.slice(1));
  token = fragment.get('token') ?? sessionStorage.getItem(STORE) ?? undefined;
  if (!fragment.has('token')) return;
  if (token) sessionStorage.setItem(STORE, token);
  else sessionStorage.removeItem(STORE);
  fragment.delete('token');
  const rest = fragment.toString();
  history.replaceState(null, '', `${location.pathname}${location.search}${rest && `#${rest}`}`);
}

/** A link with another token, opened where the page is open already, loads nothing by itself. */
addEventListener('hashchange', () => {
  if (new URLSearchParams(location.hash.slice(1)).has('token')) location.reload();
});

/** undefined when the page was opened without one. */
export function currentToken(): string | undefined {
  return token || undefined;
}
