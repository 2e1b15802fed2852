import type { ServerProcess } from '../test/harness/server.ts';

/** Where a server under test is reached by wss, as its ready record says. */
export function secureUrl({ ready }: ServerProcess): string {
  const url = (ready.web_sockets as readonly string[]).find((one) => one.startsWith('wss://'));
  if (!url) throw new Error('the server has no wss address');
  return url;
}
