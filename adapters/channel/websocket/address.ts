import type { ServiceName } from '../../../core/channel/service.ts';

/**
 * The URL that `ws` opens for a service at an address: `ws://HOST:PORT`, `wss://HOST:PORT`, or `unix:/PATH` of
 * a socket on this machine.
 *
 * @throws TypeError for anything else
 */
export function serviceUrl(address: string, service: ServiceName): string {
  if (/^unix:\/[^:?#]+$/.test(address)) return `ws+unix:${address.slice('unix:'.length)}:/${service}`;
  const url = URL.parse(address);
  if ((url?.protocol === 'ws:' || url?.protocol === 'wss:') && url.pathname === '/' && url.search === '')
    return `${url.protocol}//${url.host}/${service}`;
  throw new TypeError(
    `${JSON.stringify(address)} is no address of a channel; it looks like ws://10.0.0.7:9444`,
  );
}
