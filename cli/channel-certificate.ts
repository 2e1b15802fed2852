import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';
import type { ChannelCertificate } from '../adapters/channel/websocket/tls.ts';
import type { Settings } from './settings.ts';
import { StartError } from './start-error.ts';
import { onFilesChanged } from './tls/reload.ts';

/** This process' certificate for the channel, as its files say now. */
export interface CurrentCertificate {
  readonly get: () => ChannelCertificate;
  onRenewed(listener: (certificate: ChannelCertificate) => void): void;
  close(): void;
}

type Files = Pick<Settings, 'channelTlsCa' | 'channelTlsCert' | 'channelTlsKey'>;

/**
 * Undefined where the channel goes without TLS.
 * @throws StartError when the files cannot be used
 */
export function watchChannelCertificate(settings: Files, log: Logger): CurrentCertificate | undefined {
  const { channelTlsCa: ca, channelTlsCert: cert, channelTlsKey: key } = settings;
  // The checks made sure that they go together.
  if (ca === undefined || cert === undefined || key === undefined) return undefined;
  let current: ChannelCertificate;
  try {
    current = read(ca, cert, key);
  } catch (error) {
    throw new StartError(
      'Millrace cannot start.',
      `MILLRACE_CHANNEL_TLS_CA, _CERT and _KEY cannot be used: ${reason(error)}`,
    );
  }
  const listeners: ((certificate: ChannelCertificate) => void)[] = [];
  const close = onFilesChanged([ca, cert, key], () => {
    try {
      current = read(ca, cert, key);
    } catch (error) {
      // They are replaced one after the other, and do not match in between.
      log.warn(
        { why: reason(error) },
        'the changed certificate of the channel cannot be used yet; the old one stays',
      );
      return;
    }
    log.info({ file: cert }, 'certificate of the channel reloaded');
    for (const listener of listeners) listener(current);
  });
  return { get: () => current, onRenewed: (listener) => listeners.push(listener), close };
}

/** @throws the system's error when they cannot be read, or do not match */
function read(caFile: string, certFile: string, keyFile: string): ChannelCertificate {
  const [ca, cert, key] = [caFile, certFile, keyFile].map((file) => readFileSync(file, 'utf8'));
  const certificate = { ca: String(ca), cert: String(cert), key: String(key) };
  createSecureContext(certificate);
  return certificate;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
