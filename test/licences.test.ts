import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

/** Licences (by SPDX) under which a package may be used here: all let it be passed on in any product. */
const ALLOWED: readonly string[] = [
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'MIT OR Apache-2.0',
];

/** Reads finished recordings back in tests; nothing that ships contains it, so its licence asks nothing of the product. */
const ALLOWED_IN_TESTS: Readonly<Record<string, string>> = { mediabunny: 'MPL-2.0' };

const ROOT = join(import.meta.dirname, '..');

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dev?: true;
  readonly link?: true;
}

/** Everything that may be installed, on any platform; the workspace's own packages left out. */
const packages = Object.entries(
  (
    JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, LockedPackage>;
    }
  ).packages,
).filter(([path, { link }]) => path.includes('node_modules/') && link !== true);

test('every package has a licence that allows its use here', (t) => {
  const byLicence = new Map<string, string[]>();
  for (const [path, { license = 'none', version, dev }] of packages) {
    const name = path.slice(path.lastIndexOf('node_modules/') + 13);
    if (dev && ALLOWED_IN_TESTS[name] === license) continue;
    byLicence.set(license, [...(byLicence.get(license) ?? []), `${name}@${version}`]);
  }
  for (const [licence, names] of byLicence) t.diagnostic(`${licence}: ${names.sort().join(' ')}`);
  assert.deepEqual(
    [...byLicence].filter(([licence]) => !ALLOWED.includes(licence)),
    [],
  );
});

test('what is installed has the licence that the lock file says', () => {
  const installed = packages.filter(([path]) => existsSync(join(ROOT, path, 'package.json')));
  assert.ok(installed.length > 50);
  const differing = installed.filter(([path, { license }]) => {
    const manifest = JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8')) as LockedPackage;
    return manifest.license !== license;
  });
  assert.deepEqual(
    differing.map(([path]) => path),
    [],
  );
});

test('each package is pinned by its digest', () => {
  const loose = packages.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'));
  assert.deepEqual(loose, []);
});
