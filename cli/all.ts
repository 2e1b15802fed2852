import type { Logger } from 'pino';
import { collectDefaultMetrics, Gauge, Registry as MetricsRegistry } from 'prom-client';
import { connectLocal } from '../adapters/channel/local.ts';
import { createMemoryRegistry } from '../adapters/registry/memory/memory.ts';
import type { MediaCalls, MediaNotice } from '../core/channel/media.ts';
import { createMediaServer } from '../media-server/index.ts';
import { type Assets, asset, createSignaling, type Signaling } from '../signaling/index.ts';
import { bundleWeb } from '../web/bundle.ts';
import { checkAddresses } from './addresses.ts';
import { authorisationOf, createAuthorisation } from './authorisation.ts';
import { createChannelAccess } from './channel-access.ts';
import { startChannelListener } from './channel-listener.ts';
import { governLifetime } from './lifetime.ts';
import { createLog, type LogFormat, logFormat } from './log.ts';
import { mediaService } from './media-service.ts';
import type { ReadSettings } from './read-settings.ts';
import { type Reached, readyBlock, readyRecord } from './ready.ts';
import { openRecordings } from './recordings.ts';
import { mediaServerSettings, signalingSettings } from './role-settings.ts';
import type { Settings } from './settings.ts';
import { type ServerCertificate, serverCertificate } from './tls/certificate.ts';
import { onFilesChanged } from './tls/reload.ts';

/** Far above what one process' clients can have under way at once. */
const MAX_CALLS_IN_FLIGHT = 100_000;

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** How this program is started. */
  readonly program: readonly [string, ...string[]];
}

/** `millrace all`: every role in this process, until a signal ends it. */
export async function runAll(
  read: ReadSettings,
  { environment, version, program }: Surroundings,
): Promise<void> {
  const { settings } = read;
  const format = logFormat(settings, process.stdout.isTTY === true);
  const log = createLog(settings.logLevel, format);
  const closers: (() => Promise<void> | void)[] = [];
  const lifetime = governLifetime(log, async () => {
    // What was started last ends first.
    for (const close of closers.splice(0).reverse()) await close();
  });

  await checkAddresses(settings);
  const certificate = serverCertificate(settings, environment);
  if (certificate?.selfSigned?.notKept !== undefined) {
    log.warn({ why: certificate.selfSigned.notKept }, 'the self-signed certificate cannot be kept');
  }
  const metrics = new MetricsRegistry();
  collectDefaultMetrics({ register: metrics });
  const help = 'Always 1; its label says which version runs';
  new Gauge({ name: 'millrace_build_info', help, labelNames: ['version'], registers: [metrics] }).set(
    { version },
    1,
  );

  const authorisation = createAuthorisation(settings, log);
  closers.push(() => authorisation.close());
  const registry = createMemoryRegistry();
  closers.push(() => registry.close());
  const access = createChannelAccess(settings, log);
  closers.push(() => access.close());
  const channel = await startChannelListener(settings, { access, log, metrics });
  closers.push(() => channel.close());
  const mediaServer = createMediaServer(mediaServerSettings(settings, version, channel.address), {
    registry,
    log,
    metrics,
  });
  closers.push(() => mediaServer.close());
  channel.serve('media', mediaService(mediaServer));
  channel.serve('pipes', mediaServer.servePipes);
  mediaServer.onFenced(() => lifetime.end('this media server was fenced', 1));
  const [assets] = await Promise.all([pageAssets(), mediaServer.start()]);
  const recorders = { registry, channel, access, log, format, environment, program };
  const recordings = await openRecordings(read, recorders);
  if (recordings !== undefined) closers.push(() => recordings.close());

  const signaling = createSignaling(signalingSettings(settings, certificate), {
    registry,
    mediaChannel: () =>
      connectLocal<MediaCalls, MediaNotice>(
        mediaServer.handlers,
        (listener) => mediaServer.onNotice(listener),
        {
          maxCallsInFlight: MAX_CALLS_IN_FLIGHT,
          onError: (error, call) => log.error({ err: error, call }, 'a call to the media server failed'),
        },
      ),
    authoriser: authorisation.authoriser,
    log,
    metrics,
    assets,
    ...(recordings && { recordings }),
  });
  closers.push(() => signaling.close());
  await signaling.start();
  if (certificate) closers.push(reloadCertificate(settings, environment, signaling, log));

  announce(reachedAt(settings, signaling, certificate, version), settings, format, log);
}

function reachedAt(
  settings: Settings,
  signaling: Signaling,
  certificate: ServerCertificate | undefined,
  version: string,
): Reached {
  const [port = 0, localPort = 0] = signaling.ports;
  const { listen, localListen, metricsListen, rtcPort, workers } = settings;
  return {
    version,
    listen: { ...listen, port },
    tls: certificate === undefined ? 'off' : certificate.selfSigned ? 'self-signed' : 'named',
    localListen: localListen && { ...localListen, port: localPort },
    metricsListen: metricsListen && { ...metricsListen, port: signaling.metricsPort ?? 0 },
    rtcPorts: rtcPort === 0 ? undefined : [rtcPort, rtcPort + workers - 1],
    auth: authorisationOf(settings),
    // Counted from the beginning of the process.
    startedInMs: Math.round(performance.now()),
  };
}

function announce(reached: Reached, settings: Settings, format: LogFormat, log: Logger): void {
  log.info(readyRecord(reached), 'ready');
  // Whoever asks for JSON collects what is written, and shows it to nobody.
  if (settings.logFormat === 'json') return;
  // Standard output is the log's: a script that reads records there must not meet prose.
  (format === 'json' ? process.stderr : process.stdout).write(`${readyBlock(reached)}\n`);
}

async function pageAssets(): Promise<Assets> {
  const bundle = await bundleWeb();
  return new Map([...bundle].map(([path, { body, type }]) => [path, { ...asset(body, ''), type }]));
}

/** A certificate that the settings name is renewed by someone else. */
function reloadCertificate(
  settings: Settings,
  environment: Readonly<Record<string, string | undefined>>,
  signaling: Signaling,
  log: Logger,
): () => void {
  const files = [settings.tlsCert, settings.tlsKey].flatMap((file) => file ?? []);
  return onFilesChanged(files, () => {
    try {
      const renewed = serverCertificate(settings, environment);
      if (renewed === undefined) return;
      signaling.setCertificate(0, renewed);
      log.info({ files }, 'certificate reloaded');
    } catch (error) {
      // Certificate and key are replaced one after the other; they do not match in between.
      log.warn({ err: error }, 'the changed certificate cannot be used yet; the old one stays');
    }
  });
}
