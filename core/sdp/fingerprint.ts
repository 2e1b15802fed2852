import type { DtlsFingerprint } from 'mediasoup/types';

/**
 * Digest lengths in bytes of what mediasoup verifies, strongest first: its worker looks at the first one
 * only.
 */
const DIGEST_BYTES: readonly (readonly [DtlsFingerprint['algorithm'], number])[] = [
  ['sha-512', 64],
  ['sha-384', 48],
  ['sha-256', 32],
  ['sha-224', 28],
  ['sha-1', 20],
];

/** `a=fingerprint` lines by level: index 0 is the session, 1 the first section, and so on. */
export interface FingerprintLevel {
  readonly supported: readonly DtlsFingerprint[];
  /** Algorithms offered that are unknown or whose digest is malformed. */
  readonly unsupported: readonly string[];
}

/** Reads the text itself: sdp-transform keeps only the last of several fingerprints (RFC 8122 section 5). */
export function readFingerprints(lines: readonly string[]): FingerprintLevel[] {
  let supported: DtlsFingerprint[] = [];
  let unsupported: string[] = [];
  const levels = [{ supported, unsupported }];
  for (const line of lines) {
    if (line.startsWith('m=')) {
      supported = [];
      unsupported = [];
      levels.push({ supported, unsupported });
    } else if (line.startsWith('a=fingerprint:')) {
      const [name = '', digest = ''] = line.slice('a=fingerprint:'.length).trim().split(/\s+/, 2);
      const fingerprint = toFingerprint(name, digest);
      if (fingerprint) supported.push(fingerprint);
      else unsupported.push(name);
    }
  }
  for (const level of levels) level.supported.sort(byStrength);
  return levels;
}

function toFingerprint(name: string, digest: string): DtlsFingerprint | undefined {
  const known = DIGEST_BYTES.find(([algorithm]) => algorithm === name.toLowerCase());
  if (!known) return undefined;
  const [algorithm, bytes] = known;
  // The worker compares with its own upper-case text.
  const value = digest.toUpperCase();
  return value.length === bytes * 3 - 1 && /^[0-9A-F]{2}(:[0-9A-F]{2})*$/.test(value)
    ? { algorithm, value }
    : undefined;
}

function byStrength(one: DtlsFingerprint, other: DtlsFingerprint): number {
  return rank(one) - rank(other);
}

function rank(fingerprint: DtlsFingerprint): number {
  return DIGEST_BYTES.findIndex(([algorithm]) => algorithm === fingerprint.algorithm);
}
