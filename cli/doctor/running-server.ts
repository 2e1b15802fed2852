import { get } from 'node:http';
import { formatAddress } from '../addresses.ts';
import { findHolder, type Holder } from '../port-holder.ts';
import type { Settings } from '../settings.ts';
import type { HostPort } from '../value.ts';

export const ANSWER_TIMEOUT_MS = 3000;
const MAIN_FILE = /(^|\/)cli\/main\.ts$/;

/** What /readyz says; `silent` = the port is held and nothing comes back. */
export type Readiness = 'ready' | 'not ready' | 'silent' | 'not asked';

export interface RunningServer {
  /** Absent where the process belongs to another user. */
  readonly pid: number | undefined;
  /** Absent where it does not say. */
  readonly version: string | undefined;
  readonly readiness: Readiness;
  /** HOST:PORT of /readyz. */
  readonly askedAt: string | undefined;
}

type Listening = Pick<Settings, 'listen' | 'localListen' | 'metricsListen'>;

/** A Millrace on the addresses of these settings, known by its command line or by its metrics. */
export async function findRunningServer(settings: Listening): Promise<RunningServer | undefined> {
  const { listen, localListen, metricsListen } = settings;
  const pids = [listen, localListen, metricsListen]
    .flatMap((address) => (address === undefined || address.port === 0 ? [] : findHolder(address.port)))
    .filter((holder) => holder !== undefined && isMillrace(holder))
    .map((holder) => holder?.pid);
  const [pid] = pids;
  if (metricsListen === undefined || metricsListen.port === 0) {
    return pid === undefined
      ? undefined
      : { pid, version: undefined, readiness: 'not asked', askedAt: undefined };
  }
  const [ready, metrics] = await Promise.all(['/readyz', '/metrics'].map((path) => ask(metricsListen, path)));
  const version = /^millrace_build_info\{version="([^"]*)"\} 1$/m.exec(metrics?.body ?? '')?.[1];
  if (pid === undefined && !/^millrace_/m.test(metrics?.body ?? '')) return undefined;
  return {
    pid,
    version,
    readiness: ready === undefined ? 'silent' : ready.status === 200 ? 'ready' : 'not ready',
    askedAt: formatAddress(metricsListen),
  };
}

/** Whether a process is the server itself or one of its workers. */
export function belongsTo(server: RunningServer | undefined, holder: Holder | undefined): boolean {
  if (server === undefined) return false;
  // Where the server is another user's, so is what cannot be seen to hold its ports.
  if (holder === undefined || server.pid === undefined) return holder === server.pid;
  return holder.pid === server.pid || holder.parentPid === server.pid;
}

function isMillrace({ words }: Holder): boolean {
  return words.some((word) => MAIN_FILE.test(word));
}

/** @returns undefined when nothing listens, or nothing is said in time */
function ask({ host, port }: HostPort, path: string): Promise<{ status: number; body: string } | undefined> {
  // Nobody can be asked at an unspecified address; the machine itself is behind it.
  const to = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const request = get({ host: to, port, path, signal, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', () => resolve(undefined));
    });
    request.on('error', () => resolve(undefined));
  });
}
