import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { isLoopback } from '../loopback.ts';
import { certificateFile } from '../tls/kept.ts';
import { machineNames } from '../tls/names.ts';
import { type Context, defineCheck } from './check.ts';
import { info, type Judgement, ok, warning, wrong } from './finding.ts';

const DAY_MS = 86_400_000;
const SOON_DAYS = 21;

export type CertificateFacts =
  | { readonly kind: 'off' }
  /** The machine's own, renewed by itself. */
  | { readonly kind: 'own'; readonly file: string; readonly exists: boolean; readonly servesNetwork: boolean }
  | { readonly kind: 'unreadable'; readonly setting: string; readonly file: string; readonly why: string }
  | {
      readonly kind: 'named';
      readonly file: string;
      readonly keyFile: string;
      readonly keyMatches: boolean;
      readonly validFrom: Date;
      readonly validTo: Date;
      readonly now: Date;
      /** Subject alternative names; empty = none. */
      readonly names: readonly string[];
      /** What clients may call this machine. */
      readonly hosts: readonly string[];
      /** The ones of `hosts` that the certificate is for. */
      readonly covered: readonly string[];
    };

export const certificate = defineCheck('certificate', probe, judgeCertificate);

export function judgeCertificate(facts: CertificateFacts): readonly Judgement[] {
  switch (facts.kind) {
    case 'off':
      return [info('MILLRACE_TLS=off: whatever stands in front has to add TLS')];
    case 'own': {
      const state = facts.exists ? `kept in ${facts.file}` : 'made at the first start';
      const seen = `self-signed, ${state}`;
      return [facts.servesNetwork ? info(`${seen}: browsers warn, and apps refuse it`) : ok(seen)];
    }
    case 'unreadable':
      return [
        wrong(
          `${facts.setting}=${facts.file} cannot be used: ${facts.why}`,
          `Name a PEM file that this user can read: ${facts.setting}`,
        ),
      ];
    case 'named':
      return judgeNamed(facts);
  }
}

function judgeNamed(facts: Extract<CertificateFacts, { kind: 'named' }>): readonly Judgement[] {
  const { file, keyFile, keyMatches, validFrom, validTo, now, names, hosts, covered } = facts;
  const judged: Judgement[] = [];
  const renew = `Renew it and put it at ${file}; a running server takes it over by itself`;
  if (!keyMatches) {
    judged.push(
      wrong(
        `MILLRACE_TLS_KEY=${keyFile} is not the key of ${file}`,
        'Name the key that the certificate was made for: MILLRACE_TLS_KEY',
      ),
    );
  }
  const days = Math.floor((validTo.getTime() - now.getTime()) / DAY_MS);
  if (validTo <= now) judged.push(wrong(`${file} expired on ${day(validTo)}`, renew));
  else if (validFrom > now) {
    judged.push(
      wrong(
        `${file} is valid only from ${validFrom.toISOString()}; this machine’s clock says ${now.toISOString()}`,
        'Set the clock right (timedatectl set-ntp true), or take another certificate',
      ),
    );
  } else if (days < SOON_DAYS)
    judged.push(warning(`${file} expires on ${day(validTo)}, in ${days} days`, renew));
  if (names.length === 0) {
    judged.push(
      wrong(
        `${file} names no host (subjectAltName): browsers refuse it`,
        'Have it made with a subjectAltName for the name that clients use',
      ),
    );
  } else if (covered.length === 0) {
    judged.push(
      warning(
        `${file} is for ${names.join(', ')}; none of these is known to be this machine (${hosts.join(', ')})`,
        `Let clients use a name of the certificate, and let that name lead here; or take a certificate for ${hosts[0]}`,
      ),
    );
  }
  return judged.length > 0
    ? judged
    : [ok(`${file} matches its key, is for ${covered.join(', ')} and valid until ${day(validTo)}`)];
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function probe({ settings, environment }: Context): CertificateFacts {
  const { tls, tlsCert, tlsKey, listen, announcedAddress } = settings;
  if (tls === 'off') return { kind: 'off' };
  if (tlsCert === undefined || tlsKey === undefined) {
    const file = certificateFile(environment);
    return { kind: 'own', file, exists: existsSync(file), servesNetwork: !isLoopback(listen.host) };
  }
  const cert = read(tlsCert, (pem) => new X509Certificate(pem));
  if ('why' in cert)
    return { kind: 'unreadable', setting: 'MILLRACE_TLS_CERT', file: tlsCert, why: cert.why };
  const key = read(tlsKey, createPrivateKey);
  if ('why' in key) return { kind: 'unreadable', setting: 'MILLRACE_TLS_KEY', file: tlsKey, why: key.why };
  const { parsed } = cert;
  const hosts = clientsNames(listen.host, announcedAddress ?? []);
  return {
    kind: 'named',
    file: tlsCert,
    keyFile: tlsKey,
    keyMatches: parsed.checkPrivateKey(key.parsed),
    validFrom: parsed.validFromDate,
    validTo: parsed.validToDate,
    now: new Date(),
    names: [...(parsed.subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,]+)/g)].map(
      ([, name = '']) => name,
    ),
    hosts,
    covered: hosts.filter(
      (host) => (isIP(host) ? parsed.checkIP(host) : parsed.checkHost(host)) !== undefined,
    ),
  };
}

/** Where only one address is listened at, its name; else every name and address of this machine. */
function clientsNames(listenHost: string, announced: readonly string[]): readonly string[] {
  if (isIP(listenHost) === 0 && !isLoopback(listenHost)) return [listenHost];
  const all = machineNames(hostname(), networkInterfaces());
  const others = isLoopback(listenHost) ? all : all.filter((name) => !isLoopback(name));
  return [...new Set([...announced, ...others])];
}

function read<T>(file: string, parse: (pem: string) => T): { parsed: T } | { why: string } {
  try {
    return { parsed: parse(readFileSync(file, 'utf8')) };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
}
