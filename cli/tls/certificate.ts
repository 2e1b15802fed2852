import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { SettingsError } from '../mistake.ts';
import type { Settings } from '../settings.ts';
import { certificateFile, keepCertificate } from './kept.ts';
import { machineNames, servedNames } from './names.ts';

export interface ServerCertificate {
  /** PEM, the chain included. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** Absent for a certificate that the settings name. */
  readonly selfSigned?: { readonly fingerprint: string; readonly isNew: boolean; readonly notKept?: string };
}

/**
 * The certificate that the settings name, else the machine's own.
 * @returns undefined where TLS is off
 * @throws SettingsError when a named file is no certificate, no key, or they do not match
 */
export function serverCertificate(
  { tls, tlsCert, tlsKey, listen }: Pick<Settings, 'tls' | 'tlsCert' | 'tlsKey' | 'listen'>,
  environment: Readonly<Record<string, string | undefined>>,
): ServerCertificate | undefined {
  if (tls === 'off') return undefined;
  if (tlsCert !== undefined && tlsKey !== undefined) return namedCertificate(tlsCert, tlsKey);
  const all = machineNames(hostname(), networkInterfaces());
  const { cert, key, ...selfSigned } = keepCertificate(certificateFile(environment), {
    all,
    needed: servedNames(listen.host, all),
  });
  return { cert, key, selfSigned };
}

function namedCertificate(certFile: string, keyFile: string): ServerCertificate {
  const cert = readPem('MILLRACE_TLS_CERT', certFile, (pem) => new X509Certificate(pem));
  const key = readPem('MILLRACE_TLS_KEY', keyFile, (pem) => createPrivateKey(pem));
  if (!cert.parsed.checkPrivateKey(key.parsed)) {
    throw unusable('MILLRACE_TLS_KEY', keyFile, `is not the key of ${certFile}`);
  }
  return { cert: cert.pem, key: key.pem };
}

function readPem<T>(setting: string, file: string, parse: (pem: string) => T): { pem: string; parsed: T } {
  try {
    const pem = readFileSync(file, 'utf8');
    return { pem, parsed: parse(pem) };
  } catch (error) {
    throw unusable(
      setting,
      file,
      `not a PEM file that can be used: ${error instanceof Error ? error.message : error}`,
    );
  }
}

function unusable(setting: string, file: string, wrong: string): SettingsError {
  return new SettingsError([{ text: `${setting}=${file}`, source: 'settings', wrong }]);
}
