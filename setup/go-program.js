// Go programs that tests and measurements need, each built once into the user's cache.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { Progress } from './progress.js';
import { Trouble } from './trouble.js';

/**
 * @typedef {object} GoProgram
 * @property {string} name its file
 * @property {string} sources folder of its go.mod; whatever is there goes into the binary
 * @property {string} target the package to build, such as `.`
 * @property {string} what it is, for people
 * @property {string} needsGo the first version of Go that can build it
 * @property {string} expected how long the build takes, in words
 */

/** @param {GoProgram} program @returns {Promise<string>} its path; built now if need be, with progress on stderr */
export async function provideGoProgram(program) {
  const path = goProgramPath(program);
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  const progress = new Progress(`building ${program.what}, once`, program.expected);
  const { code, output } = await goBuild(program, draft);
  if (code !== 0) {
    progress.stop('failed');
    throw new Trouble(`go build of ${program.what} failed. Its words:`, output.trim());
  }
  // Of two builds at once either is right, and neither is seen half.
  renameSync(draft, path);
  progress.stop('done');
  return path;
}

/** @param {GoProgram} program @returns {string} where it is, or will be */
export function goProgramPath({ name, sources, target }) {
  const hash = createHash('sha256').update(`${process.arch}\0${target}\0`);
  for (const file of readdirSync(sources).sort()) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(sources, file)))
      .update('\0');
  }
  const xdg = process.env.XDG_CACHE_HOME;
  // The XDG base directory specification says to ignore a relative path.
  const cache = xdg && isAbsolute(xdg) ? xdg : join(homedir() || userInfo().homedir, '.cache');
  return join(cache, 'millrace', name, hash.digest('hex').slice(0, 16), name);
}

function goBuild({ sources, target, what, needsGo }, output) {
  return new Promise((resolve, reject) => {
    const child = spawn('go', ['build', '-trimpath', '-o', output, target], {
      cwd: sources,
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
          `${what[0].toUpperCase()}${what.slice(1)} is a Go program, and there is no go here.`,
          `Install Go ${needsGo} or later (https://go.dev/dl/) and try again.`,
        ),
      ),
    );
    child.on('close', (code) => resolve({ code, output: words }));
  });
}
