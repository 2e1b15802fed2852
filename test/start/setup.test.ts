import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { dependenciesInstalled } from '../../setup/install.js';
import { ROOT } from './process.ts';

describe('dependencies', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'millrace-setup-'));
    mkdirSync(join(root, 'node_modules', '.bin'), { recursive: true });
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const lock = {
    '': { name: 'millrace' },
    client: { name: '@millrace/client' },
    'node_modules/@millrace/client': { resolved: 'client', link: true },
    'node_modules/ws': { version: '8.0.0' },
    'node_modules/ws/node_modules/inner': { version: '2.0.0' },
    'node_modules/other-platform': { version: '1.0.0', optional: true },
  };
  const installed = { 'node_modules/ws': '8.0.0', 'node_modules/ws/node_modules/inner': '2.0.0' };

  function given(versions: Readonly<Record<string, string>>, { node = true, record = true } = {}): void {
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: lock }));
    if (node) writeFileSync(join(root, 'node_modules', '.bin', 'node'), '');
    if (record) writeFileSync(join(root, 'node_modules', '.package-lock.json'), '{}');
    for (const [path, version] of Object.entries(versions)) {
      mkdirSync(join(root, path), { recursive: true });
      writeFileSync(join(root, path, 'package.json'), JSON.stringify({ version }));
    }
  }

  it('are there when each is there in the version of the lock', () => {
    given(installed);
    assert.equal(dependenciesInstalled(root), true);
  });

  it('are there though there are more than the lock names', () => {
    given({ ...installed, 'node_modules/more': '1.0.0' });
    assert.equal(dependenciesInstalled(root), true);
  });

  it('are installed when the lock names another version', () => {
    given({ ...installed, 'node_modules/ws/node_modules/inner': '1.9.0' });
    assert.equal(dependenciesInstalled(root), false);
  });

  it('are installed when one is missing', () => {
    given({ 'node_modules/ws': '8.0.0' });
    assert.equal(dependenciesInstalled(root), false);
  });

  it('are installed when an installation was cut off, before npm wrote its record', () => {
    given(installed, { record: false });
    assert.equal(dependenciesInstalled(root), false);
  });

  it('are installed when Node 24 is not among them', () => {
    given(installed, { node: false });
    assert.equal(dependenciesInstalled(root), false);
  });
});

describe('a Debian package that tests need', () => {
  const wish = `[{ program: 'no-such-program', package: 'no-such-package', why: 'a test of tests' }]`;

  function provide(needs: string, { uid = 1000, path = process.env.PATH ?? '' } = {}): string {
    const script = `
      import { provideDebianPackages } from '${ROOT}/setup/debian.js';
      import { runSetup } from '${ROOT}/setup/trouble.js';
      process.getuid = () => ${uid};
      await runSetup(async () => { await provideDebianPackages(${needs}); console.error('provided'); });`;
    const { stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
      env: { ...process.env, PATH: path },
    });
    return stderr;
  }

  it('is left alone when its program is there', () => {
    assert.match(provide(`[{ program: 'sh', package: 'dash', why: '' }]`), /^provided/);
  });

  it('is named with the command that installs it to whoever is not root', () => {
    const said = provide(wish);
    assert.match(said, /no-such-package +a test of tests/);
    assert.match(said, /sudo apt-get install -y --no-install-recommends no-such-package/);
    assert.doesNotMatch(said, /provided|\n {4}at /);
  });

  it('is named on a machine that is not Debian', () => {
    const said = provide(wish, { path: '/no/such/folder' });
    assert.match(said, /not a Debian machine/);
    assert.match(said, /no-such-package/);
  });
});
