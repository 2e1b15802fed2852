import assert from 'node:assert/strict';
import { chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import type { Finding, Level } from '../../cli/doctor/finding.ts';
import { makeSelfSigned } from '../../cli/tls/self-signed.ts';
import { FaultProxy } from '../harness/fault-proxy.ts';
import { BUCKET, startVersitygw } from '../harness/versitygw.ts';
import { stateFolder } from '../start/process.ts';
import { doctor, freePort } from './doctor.ts';

const HOUR_MS = 3_600_000;
const state = stateFolder();
const [certFile, keyFile] = [join(state.path, 'cert.pem'), join(state.path, 'key.pem')];
const { cert, key } = makeSelfSigned({
  names: ['127.0.0.1'],
  notBefore: new Date(Date.now() - HOUR_MS),
  notAfter: new Date(Date.now() + HOUR_MS),
});
writeFileSync(certFile, cert);
writeFileSync(keyFile, key);
const plain = await startVersitygw();
const secure = await startVersitygw({ tls: { certFile, keyFile } });
const proxy = await FaultProxy.start({ port: plain.port, secret: plain.credentials.AWS_SECRET_ACCESS_KEY });
after(async () => {
  await proxy.stop();
  await plain.stop();
  await secure.stop();
  state.remove();
});
afterEach(() => proxy.heal());

const isRoot = process.getuid?.() === 0;
const needsRoot = { skip: !isRoot && 'needs root' };
const OWN_MOUNTS = ['unshare', '--mount'];
/** Runs the rest as a root who is bound to the rights of files as everyone is. */
const AS_ANYONE = ['setpriv', '--bounding-set=-dac_override', '--inh-caps=-dac_override'];
const NOBODY = 65_534;

function says(findings: readonly Finding[], level: Level, seen: RegExp, fix?: RegExp): void {
  const [found, ...more] = findings;
  assert.equal(found?.level, level, JSON.stringify(findings));
  assert.match(found.seen, seen);
  if (fix) assert.match('fix' in found ? found.fix : '', fix);
  assert.deepEqual(more, []);
}

type Asked = Omit<NonNullable<Parameters<typeof doctor>[1]>, 'settings'> & {
  readonly settings?: Readonly<Record<string, string>>;
};

/** What it finds of that place, and that its exit code fits. */
async function storageAt(place: string, { settings, ...asked }: Asked = {}): Promise<readonly Finding[]> {
  const said = await doctor(state.path, { ...asked, settings: { MILLRACE_RECORDINGS: place, ...settings } });
  const found = said.of('storage');
  if (found.some(({ level }) => level === 'wrong')) assert.equal(said.exitCode, 1);
  return found;
}

function newFolder(name: string): string {
  const path = join(state.path, name);
  mkdirSync(path);
  return path;
}

describe('the doctor looks at a folder for recordings, and', () => {
  it('uses it, and leaves nothing of that', async () => {
    const folder = newFolder('used');
    says(
      await storageAt(folder),
      'ok',
      /used: written, read, listed and deleted; conditions are kept; \d+ MiB free/,
    );
    assert.deepEqual(readdirSync(folder), ['.millrace']);
    assert.deepEqual(readdirSync(join(folder, '.millrace')), ['.store']);
  });

  it('makes none that is not there', async () => {
    const folder = join(state.path, 'new/folder');
    says(await storageAt(folder), 'ok', /new\/folder is made at the first start/);
    assert.equal(existsSync(join(state.path, 'new')), false);
  });

  it('says that nothing is recorded', async () => {
    says(await storageAt('off'), 'info', /MILLRACE_RECORDINGS=off/);
  });

  it('finds one that this user may not write, and one that it may not make', needsRoot, async () => {
    const folder = newFolder('of-nobody');
    chownSync(folder, NOBODY, NOBODY);
    const as = { within: AS_ANYONE };
    const seen = /this user may not write and read there \(EACCES\)/;
    says(await storageAt(folder, as), 'wrong', seen, /chown, chmod/);
    const above = join(folder, 'new');
    says(await storageAt(above, as), 'wrong', /may not write in .*of-nobody/, /install -d -o USER/);
  });

  it('finds one that is read-only, and one that is full', needsRoot, async () => {
    const folder = newFolder('mounted');
    const mount = (options: string) => ({
      within: OWN_MOUNTS,
      first: `mount -t tmpfs -o ${options} tmpfs ${folder}`,
    });
    says(await storageAt(folder, mount('ro')), 'wrong', /read-only \(EROFS\)/, /Mount it for writing/);
    says(await storageAt(folder, mount('size=16k')), 'wrong', /its disk is full \(ENOSPC\)/, /Make room/);
  });

  it('warns of one with little room', needsRoot, async () => {
    const folder = newFolder('small');
    const first = `mount -t tmpfs -o size=64m tmpfs ${folder}`;
    const found = await storageAt(folder, { within: OWN_MOUNTS, first });
    says(found, 'warning', /small: 6\d MiB free; an hour of 2 Mbit\/s takes 1024 MiB/, /Make room there/);
  });

  it('warns of little room for recordings that wait', needsRoot, async () => {
    const folder = newFolder('spool');
    const said = await doctor(state.path, {
      settings: { MILLRACE_RECORDINGS: newFolder('beside'), MILLRACE_RECORDING_SPOOL: folder },
      within: OWN_MOUNTS,
      first: `mount -t tmpfs -o size=64m tmpfs ${folder}`,
    });
    const [found] = said.of('disk').filter(({ level }) => level === 'warning');
    assert.match(found?.seen ?? '', /spool \(recordings that wait for storage\): 64 MiB free/);
  });

  it('finds a file in its place', async () => {
    const file = join(state.path, 'file');
    writeFileSync(file, '');
    says(await storageAt(file), 'wrong', /a file stands where a folder is needed/, /Move it away/);
  });
});

describe('the doctor looks at S3 for recordings, and', () => {
  const at = (endpoint: string, more = '') => `s3://${BUCKET}/doctor?endpoint=${endpoint}${more}`;

  it('uses it, and leaves nothing of that', async () => {
    says(
      await storageAt(at(plain.endpoint)),
      'ok',
      /s3:\/\/recordings\/doctor at http:.*conditions are kept/,
    );
    assert.deepEqual(
      readdirSync(plain.folder).filter((name) => !name.startsWith('.sgw')),
      [],
    );
    says(await storageAt(at(secure.endpoint, `&ca=${certFile}`)), 'ok', /conditions are kept/);
  });

  const cases: readonly [
    what: string,
    place: () => string | Promise<string>,
    seen: RegExp,
    fix: RegExp,
    settings?: Record<string, string>,
  ][] = [
    [
      'nobody behind the endpoint',
      async () => at(`http://127.0.0.1:${await freePort()}`),
      /nobody listens there/,
      /Check the endpoint/,
    ],
    [
      'a host that is not known',
      () => at('http://no-such-host.invalid'),
      /host name is not known|name server does not answer/,
      /Check the/,
      { RES_OPTIONS: 'timeout:1 attempts:1' },
    ],
    [
      'https where it is http',
      () => at(plain.endpoint.replace('http', 'https')),
      /does not speak TLS/,
      /Check the endpoint: http/,
    ],
    [
      'a certificate that is not trusted',
      () => at(secure.endpoint),
      /certificate is self-signed/,
      /Name it with ca=/,
    ],
    [
      'a bucket that is not there',
      () => at(plain.endpoint).replace(BUCKET, 'nothing'),
      /no such bucket/,
      /Make it, or correct the name/,
    ],
    [
      'an access key that is not known',
      () => at(plain.endpoint),
      /does not know the access key/,
      /AWS_ACCESS_KEY_ID/,
      { AWS_ACCESS_KEY_ID: 'nobody' },
    ],
    [
      'a secret that is wrong',
      () => at(plain.endpoint),
      /secret does not fit/,
      /AWS_SECRET_ACCESS_KEY/,
      { AWS_SECRET_ACCESS_KEY: 'wrong' },
    ],
    [
      'no credentials',
      () => at(plain.endpoint),
      /there are no credentials/,
      /Set AWS_ACCESS_KEY_ID/,
      {
        AWS_ACCESS_KEY_ID: '',
        AWS_SECRET_ACCESS_KEY: '',
        AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
        AWS_CONFIG_FILE: '/dev/null',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    ],
    [
      'clocks that differ too much',
      () => at(plain.endpoint),
      /clocks of this machine and of the store differ by more than 15 minutes/,
      /Set the one that is wrong/,
      aheadBy(HOUR_MS),
    ],
  ];
  for (const [what, place, seen, fix, settings = {}] of cases) {
    it(`finds ${what}`, async () => {
      says(await storageAt(await place(), { settings }), 'wrong', seen, fix);
    });
  }

  it('finds one that does not answer, one that refuses, and one that fails', async () => {
    proxy.fail({ type: 'hang' });
    says(
      await storageAt(at(proxy.endpoint)),
      'wrong',
      /cannot write an object: no answer within 3000 ms/,
      /overloaded/,
    );
    proxy.fail({ type: 'status', status: 403, code: 'AccessDenied' }, { only: ['ListMultipartUploads'] });
    says(
      await storageAt(at(proxy.endpoint)),
      'wrong',
      /cannot write an object in parts: .*do not allow it/,
      /s3:ListBucketMultipartUploads/,
    );
    proxy.fail({ type: 'status', status: 500, code: 'InternalError' }, { only: ['GetObject'] });
    says(
      await storageAt(at(proxy.endpoint)),
      'wrong',
      /cannot read an object: it failed/,
      /See how the store does/,
    );
  });

  it('warns of one that ignores conditions', async () => {
    proxy.fail({ type: 'ignore-conditions' });
    says(await storageAt(at(proxy.endpoint)), 'warning', /writes although a condition/, /conditional writes/);
  });

  it('warns of clocks that differ', async () => {
    const found = await storageAt(at(plain.endpoint), { settings: aheadBy(300_000) });
    says(found, 'warning', /clock is (299|30[0-9]) s behind this machine’s/, /timedatectl/);
  });

  it('warns of one that is slow', async () => {
    proxy.bytesPerSecond = 48 * 1024;
    says(
      await storageAt(at(proxy.endpoint)),
      'warning',
      /took [12]\d\d\d ms to write 64 KiB/,
      /nearer or faster/,
    );
  });
});

/** A process whose clock is wrong. */
function aheadBy(ms: number): Record<string, string> {
  const code = `const now = Date.now; Date.now = () => now() + ${ms};
    globalThis.Date = class extends Date { constructor(...args) { args.length ? super(...args) : super(Date.now()); } };`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}
