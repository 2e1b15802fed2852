import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ChannelCertificate } from '../tls.ts';

const run = promisify(execFile);
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** An authority that signs certificates, made by the system's openssl. */
export async function makeAuthority(): Promise<{
  readonly ca: string;
  certificate(name: string): Promise<ChannelCertificate>;
  remove(): Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'authority-'));
  const at = (name: string) => join(folder, name);
  const subject = ['-subj', '/CN=the cluster', '-days', '2'];
  await run('openssl', [
    'req',
    '-x509',
    ...NEW_KEY,
    ...subject,
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
  ]);
  const ca = await readFile(at('ca.pem'), 'utf8');
  return {
    ca,
    async certificate(name) {
      const signed = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-subj', `/CN=${name}`, '-days', '2'];
      await run('openssl', [
        ...['req', '-x509', ...NEW_KEY, ...signed],
        ...['-addext', 'basicConstraints=critical,CA:FALSE'],
        ...['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)],
      ]);
      const [cert, key] = await Promise.all(
        ['pem', 'key'].map((kind) => readFile(at(`${name}.${kind}`), 'utf8')),
      );
      return { ca, cert: String(cert), key: String(key) };
    },
    remove: () => rm(folder, { recursive: true }),
  };
}
