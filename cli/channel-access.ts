import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { connectWebSocket } from '../adapters/channel/websocket/client.ts';
import type { Gone } from '../adapters/channel/websocket/gone.ts';
import { RECORDER_SERVICES, type Secrets, signChannelToken } from '../adapters/channel/websocket/token.ts';
import type { CallMap, Channel } from '../core/channel/channel.ts';
import type { ServiceName } from '../core/channel/service.ts';
import type { RecordingSpec } from '../core/recording/recording.ts';
import { type CurrentCertificate, watchChannelCertificate } from './channel-certificate.ts';
import { secretsProblem } from './channel-settings.ts';
import type { Settings } from './settings.ts';
import { StartError } from './start-error.ts';
import { onFilesChanged } from './tls/reload.ts';

/** From signing to the opening handshake, with clocks that differ. */
const TOKEN_TTL_MS = 60_000;
/** Beyond what a recording may last: until storage has taken its end. */
const COMPLETING_MS = 24 * 3_600_000;
const SECRET_BYTES = 32;

/** What this process needs to be let in by the others of its cluster, and to let them in. */
export interface ChannelAccess {
  readonly secrets: Secrets;
  /** Absent = without TLS. */
  readonly certificate?: CurrentCertificate;
  /** Opens a channel as a process of the cluster. @param maxCallsInFlight see `Channel.call` */
  connect<Calls extends CallMap, Notice>(
    address: string,
    service: ServiceName,
    maxCallsInFlight: number,
    onGone?: (gone: Gone) => void,
  ): Channel<Calls, Notice>;
  /**
   * The token with which the recorder of one recording opens channels, for `millrace recorder`: for its stream alone,
   * and for as long as that may be recorded, as it connects again and again.
   */
  recorderToken(recording: RecordingSpec): Promise<string>;
  close(): void;
}

/** @throws StartError when secrets or certificates cannot be used */
export function createChannelAccess(settings: Settings, log: Logger): ChannelAccess {
  const certificate = watchChannelCertificate(settings, log);
  const { secrets, close } = readSecrets(settings, log);
  const limits = { heartbeatMs: settings.channelHeartbeat };
  return {
    secrets,
    ...(certificate && { certificate }),
    connect: (address, service, maxCallsInFlight, onGone) =>
      connectWebSocket(address, service, {
        // A process that speaks TLS knows us by our certificate; one that does not yet, by the secret.
        token: async () =>
          certificate !== undefined && address.startsWith('wss:')
            ? undefined
            : signChannelToken(secrets, { services: [service], ttlMs: TOKEN_TTL_MS }, Date.now()),
        ...(certificate && { tls: certificate.get }),
        maxCallsInFlight,
        limits,
        ...(onGone && { onGone }),
      }),
    recorderToken: ({ id: recording, stream, limits: { maxDurationMs, resumeMs } }) => {
      const ttlMs = maxDurationMs + resumeMs + COMPLETING_MS;
      const claims = { services: RECORDER_SERVICES, recording, stream, ttlMs };
      return signChannelToken(secrets, claims, Date.now());
    },
    close() {
      certificate?.close();
      close();
    },
  };
}

function readSecrets(
  { channelSecret, channelSecretFile }: Settings,
  log: Logger,
): { readonly secrets: Secrets; readonly close: () => void } {
  if (channelSecretFile === undefined) {
    // Processes that were not given the same secret cannot talk to each other, and one alone needs none.
    const [first = randomBytes(SECRET_BYTES), ...others] = (channelSecret ?? []).map((text) =>
      Buffer.from(text),
    );
    return { secrets: () => [first, ...others], close: () => undefined };
  }
  let current = secretsInFile(channelSecretFile);
  const close = onFilesChanged([channelSecretFile], () => {
    try {
      current = secretsInFile(channelSecretFile);
      log.info({ file: channelSecretFile, secrets: current.length }, 'secrets of the channel reloaded');
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log.warn({ why }, 'the changed secrets of the channel cannot be used; the former stay');
    }
  });
  return { secrets: () => current, close };
}

function secretsInFile(path: string): readonly [Buffer, ...Buffer[]] {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const wrong = lines.length === 0 ? 'there is no secret in it' : secretsProblem(lines);
  const [first, ...others] = lines.map((line) => Buffer.from(line));
  if (wrong === undefined && first !== undefined) return [first, ...others];
  throw new StartError(
    'Millrace cannot start.',
    `MILLRACE_CHANNEL_SECRET_FILE=${path} is of no use: ${wrong}`,
  );
}
