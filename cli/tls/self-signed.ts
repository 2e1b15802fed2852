import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { bits, context, integer, objectId, octets, sequence, set, time, truth, utf8 } from './der.ts';

export interface CertificateRequest {
  /** Host names and IP addresses that the certificate is for. */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const ECDSA_WITH_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'));

/**
 * A certificate for a TLS server that vouches for itself (RFC 5280; ECDSA on P-256, RFC 5480).
 * @returns PEM
 */
export function makeSelfSigned({ names, notBefore, notAfter }: CertificateRequest): {
  cert: string;
  key: string;
} {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(set(sequence(objectId('2.5.4.3'), utf8('Millrace on this machine'))));
  const content = sequence(
    context(0, integer(Buffer.from([2])), { constructed: true }), // version 3
    integer(randomBytes(16)),
    ECDSA_WITH_SHA256,
    name,
    sequence(time(notBefore), time(notAfter)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    context(3, sequence(...extensions(names)), { constructed: true }),
  );
  const certificate = sequence(content, ECDSA_WITH_SHA256, bits(sign('sha256', content, privateKey)));
  return {
    cert: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function extensions(names: readonly string[]): Buffer[] {
  const critical = true;
  return [
    extension('2.5.29.19', sequence(), critical), // basicConstraints: not an authority
    extension('2.5.29.15', bits(Buffer.from([0x80]), 7), critical), // keyUsage: digitalSignature
    extension('2.5.29.37', sequence(objectId('1.3.6.1.5.5.7.3.1'))), // extendedKeyUsage: serverAuth
    extension('2.5.29.17', sequence(...names.map(generalName))), // subjectAltName
  ];
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(objectId(id), ...(critical ? [truth] : []), octets(value));
}

/** RFC 5280 section 4.2.1.6. */
function generalName(name: string): Buffer {
  const version = isIP(name);
  if (version === 0) return context(2, Buffer.from(name, 'latin1'), { constructed: false });
  return context(7, version === 4 ? Buffer.from(name.split('.').map(Number)) : ipv6Bytes(name), {
    constructed: false,
  });
}

function ipv6Bytes(address: string): Buffer {
  // The URL parser knows every way to write an address, and gives the shortest.
  const plain = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = plain.split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const before = groups(head);
  const after = groups(tail ?? '');
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  return Buffer.from([...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
