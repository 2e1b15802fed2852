import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { certificateFile, keepCertificate } from './kept.ts';
import { makeSelfSigned } from './self-signed.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-certificate-'));
after(() => rmSync(folder, { recursive: true }));

const DAY_MS = 86_400_000;
const NAMES = ['localhost', '127.0.0.1', '::1', 'mill.example.org', '2001:db8::7:0:1'];
const names = { all: NAMES, needed: NAMES };

describe('the certificate of this machine', () => {
  it('is kept from start to start, for its owner only', () => {
    const file = join(folder, 'kept', 'certificate.pem');
    const first = keepCertificate(file, names);
    const second = keepCertificate(file, names);
    assert.equal(first.isNew, true);
    assert.equal(second.isNew, false);
    assert.deepEqual([second.cert, second.key], [first.cert, first.key]);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('is valid for at least a year, and not so long that systems refuse it', () => {
    const { cert } = keepCertificate(join(folder, 'validity.pem'), names);
    const { validFromDate, validToDate } = new X509Certificate(cert);
    const days = (validToDate.getTime() - validFromDate.getTime()) / DAY_MS;
    assert.ok(days >= 365 && days <= 825, `${days} days`);
  });

  it('names every host name and address', () => {
    const { cert, key } = makeSelfSigned({
      names: NAMES,
      notBefore: new Date(),
      notAfter: new Date(Date.now() + DAY_MS),
    });
    const certificate = new X509Certificate(cert);
    assert.ok(certificate.checkPrivateKey(createPrivateKey(key)));
    assert.ok(certificate.verify(certificate.publicKey));
    assert.equal(certificate.ca, false);
    assert.ok(certificate.checkHost('mill.example.org'));
    for (const address of ['127.0.0.1', '::1', '2001:db8::7:0:1'])
      assert.ok(certificate.checkIP(address), address);
    assert.equal(certificate.checkHost('other.example.org'), undefined);
  });

  it('is made anew when it ends within a month', () => {
    const file = join(folder, 'ends.pem');
    const first = keepCertificate(file, names, new Date(Date.now() - 775 * DAY_MS));
    const second = keepCertificate(file, names);
    assert.equal(second.isNew, true);
    assert.notEqual(second.cert, first.cert);
  });

  it('is made anew when it lacks a name that is needed, and only then', () => {
    const file = join(folder, 'names.pem');
    keepCertificate(file, names);
    assert.equal(keepCertificate(file, { all: ['localhost'], needed: ['localhost'] }).isNew, false);
    assert.equal(keepCertificate(file, { all: ['192.0.2.1'], needed: ['192.0.2.1'] }).isNew, true);
  });

  it('is made anew when its file is damaged', () => {
    const file = join(folder, 'damaged.pem');
    keepCertificate(file, names);
    writeFileSync(file, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    assert.equal(keepCertificate(file, names).isNew, true);
  });

  it('serves when it cannot be kept, and says why', () => {
    const { cert, notKept } = keepCertificate(
      join(folder, 'kept', 'certificate.pem', 'below-a-file.pem'),
      names,
    );
    assert.ok(cert);
    assert.ok(notKept);
  });

  it('is what a TLS client that trusts it accepts', async () => {
    const { cert, key } = keepCertificate(join(folder, 'tls.pem'), names);
    const server = createServer({ cert, key, minVersion: 'TLSv1.2' });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      await new Promise<void>((resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: cert }, () => {
          socket.end();
          resolve();
        });
        socket.on('error', reject);
      });
    } finally {
      server.close();
    }
  });

  it('lives in the state folder of the user', () => {
    assert.equal(certificateFile({ XDG_STATE_HOME: '/var/state' }), '/var/state/millrace/certificate.pem');
    assert.match(
      certificateFile({ XDG_STATE_HOME: 'relative' }),
      /\.local\/state\/millrace\/certificate\.pem$/,
    );
  });
});
