import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, it, type TestContext } from 'node:test';
import type { S3Location } from '../../adapters/storage/s3/location.ts';
import { openS3 } from '../../adapters/storage/s3/s3.ts';
import { makeSelfSigned } from '../../cli/tls/self-signed.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { StorageUnavailable } from '../../core/storage/storage-unavailable.ts';
import { BUCKET, startVersitygw } from '../harness/versitygw.ts';

const LONG = { timeoutMs: 20_000 };
const HOUR_MS = 3_600_000;
const home = mkdtempSync(join(tmpdir(), 'millrace-access-'));
const [certFile, keyFile] = [join(home, 'cert.pem'), join(home, 'key.pem')];
const { cert, key } = makeSelfSigned({
  names: ['127.0.0.1', 'localhost'],
  notBefore: new Date(Date.now() - HOUR_MS),
  notAfter: new Date(Date.now() + HOUR_MS),
});
writeFileSync(certFile, cert);
writeFileSync(keyFile, key);

const plain = await startVersitygw();
const secure = await startVersitygw({ tls: { certFile, keyFile } });
const environment = { ...process.env };
after(async () => {
  await plain.stop();
  await secure.stop();
  rmSync(home, { recursive: true, force: true });
});
afterEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, environment);
});

function open(t: TestContext, location: Partial<S3Location>): ObjectStore {
  const store = openS3({
    bucket: BUCKET,
    prefix: '',
    endpoint: plain.endpoint,
    pathStyle: true,
    ...location,
  });
  t.after(() => store.close());
  return store;
}

async function fails(store: ObjectStore, why: RegExp, fix: RegExp): Promise<void> {
  const calls = [
    () => store.put('a', new Uint8Array(10), LONG),
    () => store.list('', LONG),
    () => store.createUpload('a', { ...LONG, metadata: {}, contentType: 'video/webm' }),
  ];
  for (const call of calls) {
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof StorageUnavailable, String(error));
      assert.match(error.why, why);
      assert.match(error.fix ?? '', fix);
      assert.doesNotMatch(
        JSON.stringify([error.message, error.stack, error.cause]),
        /test-secret|Signature=/,
      );
      return true;
    });
  }
}

describe('A store reached by https', () => {
  it('is trusted by the certificate that is named, and not without it', async (t) => {
    const trusted = open(t, { endpoint: secure.endpoint, caFile: certFile });
    await trusted.put('a', new Uint8Array(10), LONG);
    assert.equal((await trusted.head('a', LONG))?.bytes, 10);
    await fails(open(t, { endpoint: secure.endpoint }), /certificate is self-signed/, /name it with ca=/);
  });

  it('is not taken for one by http, nor the other way round', async (t) => {
    const httpsAtHttp = open(t, { endpoint: plain.endpoint.replace('http:', 'https:') });
    await fails(httpsAtHttp, /it does not speak TLS/, /check the endpoint: http/);
    const httpAtHttps = open(t, { endpoint: secure.endpoint.replace('https:', 'http:') });
    await fails(httpAtHttps, /HTTP 400|does not speak HTTP|connection was cut/, /check the endpoint|^$/);
  });
});

describe('A store says of credentials', () => {
  it('that the access key is unknown', async (t) => {
    process.env.AWS_ACCESS_KEY_ID = 'nobody';
    await fails(open(t, {}), /does not know the access key/, /AWS_ACCESS_KEY_ID/);
  });

  it('that the secret is wrong', async (t) => {
    process.env.AWS_SECRET_ACCESS_KEY = 'wrong';
    await fails(open(t, {}), /secret does not fit the access key/, /AWS_SECRET_ACCESS_KEY/);
  });

  it('that there are none', async (t) => {
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    // What the user of this machine has, and what a machine in a cloud has, is another matter.
    process.env.AWS_SHARED_CREDENTIALS_FILE = '/dev/null';
    process.env.AWS_CONFIG_FILE = '/dev/null';
    process.env.AWS_EC2_METADATA_DISABLED = 'true';
    await fails(open(t, {}), /there are no credentials/, /set AWS_ACCESS_KEY_ID/);
  });

  it('that they are in a profile', async (t) => {
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    const file = join(home, 'credentials');
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = plain.credentials;
    writeFileSync(
      file,
      `[mill]\naws_access_key_id=${AWS_ACCESS_KEY_ID}\naws_secret_access_key=${AWS_SECRET_ACCESS_KEY}\n`,
    );
    Object.assign(process.env, { AWS_SHARED_CREDENTIALS_FILE: file, AWS_PROFILE: 'mill' });
    const store = open(t, {});
    await store.put('a', new Uint8Array(10), LONG);
  });
});

describe('A store says of its place', () => {
  it('that there is no such bucket', async (t) => {
    await fails(
      open(t, { bucket: 'nothing-here' }),
      /there is no such bucket/,
      /make it, or correct the name/,
    );
  });

  it('that the host is unknown', async (t) => {
    await fails(
      open(t, { endpoint: 'http://no-such-host.invalid:9000' }),
      /host name is not known|name server does not answer/,
      /check/,
    );
  });

  it('that no region is known, where AWS is meant', async (t) => {
    process.env.AWS_CONFIG_FILE = '/dev/null';
    const { endpoint: _, ...aws } = { bucket: BUCKET, prefix: '', endpoint: '', pathStyle: false };
    const store = openS3(aws);
    t.after(() => store.close());
    await fails(store, /no region is known/, /AWS_REGION/);
  });

  it('without a prefix, that the whole bucket is its own', async (t) => {
    const [whole, part] = [open(t, {}), open(t, { prefix: 'p/q' })];
    await part.put('c', new Uint8Array(10), LONG);
    assert.equal((await whole.head('p/q/c', LONG))?.bytes, 10);
    await whole.delete(['p/q/c'], LONG);
    assert.equal(await part.head('c', LONG), undefined);
  });
});
