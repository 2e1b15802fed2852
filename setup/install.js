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
 * Whether every package of the lock is there in its version, however it came there. npm writes its own record
 * last, so an installation that was cut off has none.
 */
export function dependenciesInstalled(root = ROOT) {
  const modules = join(root, 'node_modules');
  if (!existsSync(join(modules, '.package-lock.json')) || !existsSync(join(modules, '.bin', 'node')))
    return false;
  const { packages } = readJson(join(root, 'package-lock.json'));
  return Object.entries(packages).every(([path, { version, optional, link }]) => {
    // The root, its workspaces and the links to them are there with the tree.
    if (!path.startsWith('node_modules/') || link) return true;
    const manifest = join(root, path, 'package.json');
    // Builds for other platforms are not installed.
    if (!existsSync(manifest)) return optional === true;
    return readJson(manifest).version === version;
  });
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
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
