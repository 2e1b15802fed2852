// The load client of bench/, a Go program, built once into the user's cache.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { ROOT } from './node24.js';
import { Progress } from './progress.js';
import { Trouble } from './trouble.js';

const SOURCES = join(ROOT, 'bench', 'load');

/** @returns {Promise<string>} the path of the program; built now if need be, with progress on stderr */
export async function provideLoadClient() {
  const path = cachedPath();
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  const progress = new Progress('building the load client, once', 'about 1 min');
  const { code, output } = await goBuild(draft);
  if (code !== 0) {
    progress.stop('failed');
    throw new Trouble('go build of bench/load failed. Its words:', output.trim());
  }
  // Of two builds at once either is right, and neither is seen half.
  renameSync(draft, path);
  progress.stop('done');
  return path;
}

function cachedPath() {
  const hash = createHash('sha256').update(`${process.arch}\0`);
  for (const name of readdirSync(SOURCES).sort()) {
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(SOURCES, name)))
      .update('\0');
  }
  const xdg = process.env.XDG_CACHE_HOME;
  // The XDG base directory specification says to ignore a relative path.
  const cache = xdg && isAbsolute(xdg) ? xdg : join(homedir() || userInfo().homedir, '.cache');
  return join(cache, 'millrace', 'load', hash.digest('hex').slice(0, 16), 'load');
}

function goBuild(output) {
  return new Promise((resolve, reject) => {
    const child = spawn('go', ['build', '-trimpath', '-o', output, '.'], {
      cwd: SOURCES,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let words = '';
    const keep = (text) => {
      words = (words + text).slice(-8192);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', () =>
      reject(
        new Trouble(
          'The load client of the measurements is a Go program, and there is no go here.',
          'Install Go 1.24 or later (https://go.dev/dl/) and try again.',
        ),
      ),
    );
    child.on('close', (code) => resolve({ code, output: words }));
  });
}
