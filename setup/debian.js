// Programs that tests need beside Node, from Debian's packages.
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Trouble } from './trouble.js';

/** Where programs for the superuser live, which a normal user's PATH may lack. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin'];

/** @param {readonly {program?: string, package: string, why: string}[]} needs a package without program is a library */
export async function provideDebianPackages(needs) {
  const missing = needs.filter(
    (need) => !(need.program === undefined ? hasPackage(need.package) : isInstalled(need.program)),
  );
  if (missing.length === 0) return;
  const names = missing.map((need) => need.package);
  const list = missing.map((need) => `  ${need.package.padEnd(26)} ${need.why}`).join('\n');
  if (!isInstalled('apt-get')) {
    throw new Trouble(
      'The tests need programs that are missing here, and this is not a Debian machine:',
      list,
      'Install them by your own package manager (the names above are Debian’s), and try again.',
    );
  }
  if (process.getuid?.() !== 0) {
    throw new Trouble(
      'The tests need Debian packages that are missing:',
      list,
      'Install them once, and try again:',
      `  sudo apt-get install -y --no-install-recommends ${names.join(' ')}`,
    );
  }
  console.error(`installing Debian packages that the tests need:\n${list}`);
  await aptGet(['update']);
  await aptGet(['install', '-y', '--no-install-recommends', ...names]);
}

/** Every Debian package brings its copyright file (Debian Policy section 12.5). */
function hasPackage(name) {
  return existsSync(`/usr/share/doc/${name}/copyright`);
}

function isInstalled(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function aptGet(args) {
  return new Promise((resolve, reject) => {
    const child = spawn('apt-get', ['-q', ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = (text) => {
      output = (output + text).slice(-8192);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Trouble(`apt-get ${args.join(' ')} failed. Its words:`, output.trim()));
    });
  });
}
