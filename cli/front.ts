import type { Logger } from 'pino';
import { Outbox } from '../adapters/webhook/outbox.ts';
import type { MediaChannel } from '../core/channel/media.ts';
import type { NodeEntry } from '../core/registry/record.ts';
import type { Registry } from '../core/registry/registry.ts';
import {
  type Assets,
  asset,
  createSignaling,
  type Signaling,
  type SignalingDeps,
} from '../signaling/index.ts';
import { bundleWeb } from '../web/bundle.ts';
import { authorisationOf, createAuthorisation } from './authorisation.ts';
import { type Reached, readyBlock, readyRecord } from './ready.ts';
import type { RoleProcess } from './role-process.ts';
import { signalingSettings } from './role-settings.ts';
import type { Settings } from './settings.ts';
import { type ServerCertificate, serverCertificate } from './tls/certificate.ts';
import { onFilesChanged } from './tls/reload.ts';

export interface FrontDeps {
  readonly registry: Registry;
  readonly mediaChannel: (node: NodeEntry) => MediaChannel;
  readonly recordings?: SignalingDeps['recordings'];
  /** Whether this process has a media server, and so media ports to tell of. */
  readonly media: boolean;
}

/** What clients reach: signaling with its certificate, its keys and its page. */
export interface Front {
  /** Listens, and says where. */
  start(deps: FrontDeps): Promise<void>;
}

/**
 * Reads what can be wrong before anything starts: certificate, keys and page.
 * @throws StartError
 */
export async function prepareFront(
  role: RoleProcess,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Front> {
  const { settings, log, metrics } = role;
  const certificate = serverCertificate(settings, environment);
  if (certificate?.selfSigned?.notKept !== undefined) {
    log.warn({ why: certificate.selfSigned.notKept }, 'the self-signed certificate cannot be kept');
  }
  const authorisation = createAuthorisation(settings, log);
  role.onEnd(() => authorisation.close());
  const assets = pageAssets();
  // Whoever starts it waits for it then.
  assets.catch(() => {});
  return {
    async start({ registry, mediaChannel, recordings, media }) {
      const webhooks = openWebhooks(role);
      const signaling = createSignaling(signalingSettings(settings, certificate), {
        registry,
        mediaChannel,
        authoriser: authorisation.authoriser,
        log,
        metrics,
        assets: await assets,
        ...(recordings && { recordings }),
        ...(webhooks && { webhooks }),
      });
      role.onEnd(() => signaling.close());
      await signaling.start();
      // With media of its own it has nobody to send its clients to.
      if (!media) role.lifetime.onDrain(() => signaling.drain(settings.drainTimeout));
      if (certificate) role.onEnd(reloadCertificate(settings, environment, signaling, log));
      announce(reachedAt(role, signaling, certificate, media), role);
    },
  };
}

function reachedAt(
  { settings, version }: RoleProcess,
  signaling: Signaling,
  certificate: ServerCertificate | undefined,
  media: boolean,
): Reached {
  const [port = 0, localPort = 0] = signaling.ports;
  const { listen, localListen, metricsListen, rtcPort, workers } = settings;
  const chosen = rtcPort === 0 ? undefined : ([rtcPort, rtcPort + workers - 1] as const);
  return {
    version,
    listen: { ...listen, port },
    tls: certificate === undefined ? 'off' : certificate.selfSigned ? 'self-signed' : 'named',
    localListen: localListen && { ...localListen, port: localPort },
    metricsListen: metricsListen && { ...metricsListen, port: signaling.metricsPort ?? 0 },
    rtcPorts: media ? chosen : 'elsewhere',
    auth: authorisationOf(settings),
    // Counted from the beginning of the process.
    startedInMs: Math.round(performance.now()),
  };
}

function announce(reached: Reached, { settings, format, log }: RoleProcess): void {
  log.info(readyRecord(reached), 'ready');
  // Whoever asks for JSON collects what is written, and shows it to nobody.
  if (settings.logFormat === 'json') return;
  // Standard output is the log's: a script that reads records there must not meet prose.
  (format === 'json' ? process.stderr : process.stdout).write(`${readyBlock(reached)}\n`);
}

function openWebhooks({ settings, log, metrics, onEnd }: RoleProcess): Outbox | undefined {
  const { webhookUrl: url, webhookSecret: secret } = settings;
  if (url === undefined || secret === undefined) return undefined;
  const outbox = new Outbox({ url, secret, log, metrics });
  onEnd(() => outbox.close());
  return outbox;
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
