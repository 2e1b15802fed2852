import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname, join } from 'node:path';
import { stateFolder } from '../state-folder.ts';
import { makeSelfSigned } from './self-signed.ts';

const DAY_MS = 86_400_000;
/** Some systems trust none that is valid for longer than 825 days. */
const VALID_MS = 800 * DAY_MS;
/** A clock that is a little behind must not see a certificate of the future. */
const BACKDATED_MS = DAY_MS;
const RENEWED_BEFORE_END_MS = 30 * DAY_MS;

export interface KeptCertificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** SHA-256, as browsers show it. */
  readonly fingerprint: string;
  /** Made now, not found. */
  readonly isNew: boolean;
  /** Why it could not be written; the next start makes another then. */
  readonly notKept?: string;
}

export interface Names {
  /** What a new certificate is made for. */
  readonly all: readonly string[];
  /** What an old one must be for. */
  readonly needed: readonly string[];
}

/** `$XDG_STATE_HOME/millrace/certificate.pem`, key and certificate in one file so that they always match. */
export function certificateFile(environment: Readonly<Record<string, string | undefined>>): string {
  return join(stateFolder(environment), 'certificate.pem');
}

/** The certificate made at the first start; another once it ends soon or lacks a name. */
export function keepCertificate(file: string, names: Names, now: Date = new Date()): KeptCertificate {
  const found = read(file);
  if (found && isGood(found.cert, names.needed, now))
    return { ...found, ...described(found.cert), isNew: false };
  const made = makeSelfSigned({
    names: names.all,
    notBefore: new Date(now.getTime() - BACKDATED_MS),
    notAfter: new Date(now.getTime() + VALID_MS),
  });
  const notKept = write(file, made.key + made.cert);
  return { ...made, ...described(made.cert), isNew: true, ...(notKept === undefined ? {} : { notKept }) };
}

function described(cert: string): { fingerprint: string } {
  return { fingerprint: new X509Certificate(cert).fingerprint256 };
}

function read(file: string): { cert: string; key: string } | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/.exec(text)?.[0];
    const cert = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(text)?.[0];
    return key !== undefined && cert !== undefined ? { cert, key } : undefined;
  } catch {
    return undefined; // None yet, or not ours to read: another is made.
  }
}

function isGood(pem: string, needed: readonly string[], now: Date): boolean {
  try {
    const certificate = new X509Certificate(pem);
    const coversNames = needed.every((name) =>
      isIP(name) ? certificate.checkIP(name) !== undefined : certificate.checkHost(name) !== undefined,
    );
    const endsLater = certificate.validToDate.getTime() - now.getTime() > RENEWED_BEFORE_END_MS;
    return coversNames && endsLater && certificate.validFromDate <= now;
  } catch {
    return false; // Not a certificate any more: another is made.
  }
}

/** @returns why it could not be written */
function write(file: string, text: string): string | undefined {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, text, { mode: 0o600 });
    renameSync(draft, file);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
