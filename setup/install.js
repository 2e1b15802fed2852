// Installs the dependencies that package-lock.json names, when they are not what is installed.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { NODE24, ROOT } from './node24.js';
import { Progress } from './progress.js';
import { Trouble } from './trouble.js';

export async function installDependencies() {
  if (dependenciesInstalled()) return;
  const progress = new Progress('installing dependencies', 'about 20 s');
  const { code, output } = await npmCi();
  if (code !== 0) {
    progress.stop('failed');
    throw new Trouble(
      'npm ci failed. Its words:',
      output.trim(),
      'Is the package registry reachable? Try again: npm ci',
    );
  }
  progress.stop('done');
  if (!existsSync(NODE24)) {
    throw new Trouble(
      'npm ci brought no Node 24: the install script of the package `node` did not run.',
      'Is ignore-scripts set (npm config get ignore-scripts)? Unset it and try again.',
    );
  }
}

/**
 * npm's own record of what it installed, compared with the lock: an `npm install` by hand counts, and an
 * installation that was cut off does not, as npm writes the record last.
 */
export function dependenciesInstalled(root = ROOT) {
  if (!existsSync(join(root, 'node_modules', '.bin', 'node'))) return false;
  const wanted = packagesIn(join(root, 'package-lock.json'));
  const installed = packagesIn(join(root, 'node_modules', '.package-lock.json'));
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    // The root and its workspaces, which npm links and does not install.
    if (!path.startsWith('node_modules/')) return true;
    const found = installed[path];
    if (!found) return optional === true;
    return found.version === version && found.integrity === integrity;
  });
}

function packagesIn(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  } catch {
    return {};
  }
}

function npmCi() {
  const binaries = join(ROOT, 'node_modules', '.bin');
  const env = {
    ...process.env,
    // Without node_modules/.bin: npm must not run on the Node that it is about to delete.
    PATH: (process.env.PATH ?? '')
      .split(delimiter)
      .filter((folder) => folder !== binaries)
      .join(delimiter),
    // npm 10 and older run mediasoup's install script, which would fetch or build a stock worker. This stops it.
    MEDIASOUP_WORKER_BIN: process.env.MEDIASOUP_WORKER_BIN || 'unused',
  };
  return new Promise((resolve, reject) => {
    const child = spawn('npm', ['ci', '--loglevel=error', '--no-progress'], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = (text) => {
      output = (output + text).slice(-8192);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', () =>
      reject(new Trouble('npm is missing: it comes with Node. Install it and try again.')),
    );
    child.on('close', (code) => resolve({ code, output }));
  });
}
