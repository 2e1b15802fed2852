import { networkInterfaces } from 'node:os';
import { formatAddress } from './addresses.ts';
import { isLoopback } from './loopback.ts';
import type { HostPort } from './value.ts';

/** Where the server is reached, once it listens. */
export interface Reached {
  readonly version: string;
  /** `MILLRACE_LISTEN` with its real port. */
  readonly listen: HostPort;
  readonly tls: 'off' | 'self-signed' | 'named';
  readonly localListen: HostPort | undefined;
  readonly metricsListen: HostPort | undefined;
  /** First and last media port; undefined where the system chose them, `elsewhere` where other processes have them. */
  readonly rtcPorts: readonly [number, number] | undefined | 'elsewhere';
  /** undefined = nobody is asked for anything, and only this machine gets in. */
  readonly auth: 'off' | 'tokens' | undefined;
  readonly startedInMs: number;
}

export interface Urls {
  /** Best first. */
  readonly pages: readonly string[];
  readonly webSockets: readonly string[];
  readonly metrics: string | undefined;
}

/** @param machineAddresses what an unspecified address stands for */
export function urls(
  { listen, tls, localListen, metricsListen }: Reached,
  machineAddresses: readonly string[] = ownAddresses(),
): Urls {
  const secure = tls === 'off' ? '' : 's';
  const reached = [
    ...(localListen ? [{ secure: '', at: localListen }] : []),
    ...expand(listen, machineAddresses).map((at) => ({ secure, at })),
  ];
  return {
    pages: reached.map(({ secure, at }) => `http${secure}://${shown(at)}`),
    // A client on another machine is what an address is looked up for: the encrypted ones first.
    webSockets: [...reached].reverse().map(({ secure, at }) => `ws${secure}://${shown(at)}`),
    metrics: metricsListen && `http://${formatAddress(metricsListen)}/metrics`,
  };
}

/** The record for scripts. */
export function readyRecord(reached: Reached): Record<string, unknown> {
  const { pages, webSockets, metrics } = urls(reached);
  return {
    version: reached.version,
    pages,
    web_sockets: webSockets,
    ...(metrics === undefined ? {} : { metrics }),
    ports: {
      listen: reached.listen.port,
      ...(reached.localListen ? { local_listen: reached.localListen.port } : {}),
      ...(reached.metricsListen ? { metrics_listen: reached.metricsListen.port } : {}),
      ...(Array.isArray(reached.rtcPorts) ? { rtc: reached.rtcPorts } : {}),
    },
    ms: reached.startedInMs,
  };
}

/** The block for people. */
export function readyBlock(reached: Reached): string {
  const { pages, webSockets, metrics } = urls(reached);
  const row = (title: string, lines: readonly string[]) =>
    lines.map((line, index) => `  ${(index === 0 ? title : '').padEnd(9)}${line}`);
  const noteOf = (url: string): string => {
    if (url.startsWith('https:') && reached.tls === 'self-signed')
      return '   (self-signed: the browser warns once)';
    return '';
  };
  return [
    '',
    `Millrace ${reached.version} is ready, after ${(reached.startedInMs / 1000).toFixed(1)} s.`,
    '',
    ...row(
      'Page',
      pages.map((url) => url + noteOf(url)),
    ),
    ...row('Clients', webSockets),
    ...row('Media', [mediaPorts(reached.rtcPorts)]),
    ...(metrics === undefined ? [] : row('Metrics', [metrics])),
    '',
    ...row('Try', [
      'Open the page and publish the test pattern or your camera.',
      'Open it again, in another tab or another browser, and play the stream.',
    ]),
    ...row('Stop', ['Ctrl-C']),
    '',
    ...notes(reached),
    '',
  ].join('\n');
}

function notes({ auth, listen }: Reached): string[] {
  if (auth === 'off')
    return ['  Authorisation is off: whoever reaches this server may publish, play and end everything.'];
  if (auth === 'tokens') {
    return [
      '  Clients need a token; the page takes it as …/#token=TOKEN. Where the key is a secret, this makes one:',
      "    npm start --silent -- token --subject me --publish '*' --play '*' --admin true",
    ];
  }
  const open = formatAddress({ host: '0.0.0.0', port: listen.port });
  return [
    '  Without authorisation only this machine is served. To let everyone on the network do everything:',
    `    MILLRACE_AUTH=off MILLRACE_LISTEN=${open} npm start`,
    '  To let in whoever has a token: docs/tokens.md.',
  ];
}

function mediaPorts(ports: Reached['rtcPorts']): string {
  if (ports === 'elsewhere') return 'by the media servers that share the registry';
  if (ports === undefined) return 'UDP and TCP ports of the system’s choice';
  const [first, last] = ports;
  return `UDP and TCP ${last === first ? `port ${first}` : `ports ${first} to ${last}`}`;
}

function expand(address: HostPort, machineAddresses: readonly string[]): readonly HostPort[] {
  const { host, port } = address;
  if (host !== '0.0.0.0' && host !== '::') return [address];
  const family = machineAddresses.filter((own) => host === '::' || !own.includes(':'));
  return [{ host: 'localhost', port }, ...family.map((own) => ({ host: own, port }))];
}

/** Browsers trust `localhost` as a name. */
function shown({ host, port }: HostPort): string {
  return formatAddress({ host: isLoopback(host) && !host.includes(':') ? 'localhost' : host, port });
}

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((infos) => infos ?? [])
    .filter(({ internal, address }) => !internal && !/^fe[89ab]/i.test(address))
    .map(({ address }) => address);
}
