// Finds the mediasoup worker in the user's cache, and builds it there once. Plain
// JavaScript without dependencies: setup/ runs it on whatever Node the machine has.
// By itself: `node media-server/worker/cache.js [--stock]` builds and prints the path.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, userInfo } from 'node:os';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** What goes into the binary; a change of any of it means another binary. */
const STOCK_INPUTS = ['build.sh', 'subprojects'];
const PATCHED_INPUTS = [...STOCK_INPUTS, 'include', 'verbatim-consumer.patch'];

export function mediasoupPackage() {
  const main = createRequire(import.meta.url).resolve('mediasoup');
  const folder = main.slice(0, main.lastIndexOf(join('node', 'lib')));
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return { folder, version };
}

export function workerIdentity() {
  const header = readFileSync(join(here, 'include', 'MillraceIdentity.hpp'), 'utf8');
  const patch = /#define MILLRACE_PATCH "([^"]+)"/.exec(header);
  if (!patch) throw new Error('include/MillraceIdentity.hpp defines no MILLRACE_PATCH');
  return `${patch[1]} mediasoup/${mediasoupPackage().version}`;
}

export function workerCachePath({ stock = false } = {}) {
  const hash = createHash('sha256');
  const kind = stock ? 'stock' : 'patched';
  hash.update(`${kind}\0${mediasoupPackage().version}\0${process.arch}\0${osRelease()}\0`);
  for (const file of (stock ? STOCK_INPUTS : PATCHED_INPUTS).flatMap((input) => filesIn(join(here, input)))) {
    hash
      .update(`${relative(here, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return join(cacheFolder(), 'millrace', 'worker', hash.digest('hex').slice(0, 16), 'mediasoup-worker');
}

export function workerPath() {
  return process.env.MILLRACE_WORKER_BIN || workerCachePath();
}

export async function ensureWorker({ onLine = () => {}, stock = false } = {}) {
  const given = stock ? undefined : process.env.MILLRACE_WORKER_BIN;
  if (given) {
    if (!isExecutable(given)) throw new Error(`MILLRACE_WORKER_BIN=${given} is not an executable file`);
    return given;
  }
  const path = workerCachePath({ stock });
  if (!isExecutable(path)) await build(path, stock, onLine);
  return path;
}

function build(path, stock, onLine) {
  const args = [join(here, 'build.sh'), ...(stock ? ['--stock'] : []), mediasoupPackage().folder, path];
  return new Promise((resolve, reject) => {
    // A process group of its own, so that compilers end with us and not minutes later.
    const child = spawn('bash', args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const stopWithUs = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => {
      const handler = () => {
        killGroup(child.pid);
        forget();
        process.kill(process.pid, signal);
      };
      process.once(signal, handler);
      return [signal, handler];
    });
    const onExit = () => killGroup(child.pid);
    process.once('exit', onExit);
    const forget = () => {
      process.off('exit', onExit);
      for (const [signal, handler] of stopWithUs) process.off(signal, handler);
    };
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      complaint = (complaint + text).slice(-8192);
    });
    createInterface({ input: child.stdout }).on('line', onLine);
    child.on('error', (error) => {
      forget();
      reject(new Error(`cannot run bash to build the mediasoup worker: ${error.message}`));
    });
    child.on('close', (code, signal) => {
      forget();
      if (code === 0 && isExecutable(path)) resolve();
      else reject(new Error(complaint.trim() || `build.sh ended with ${signal ?? code}`));
    });
  });
}

function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGTERM');
  } catch {
    // It has ended already.
  }
}

function cacheFolder() {
  const xdg = process.env.XDG_CACHE_HOME;
  // The XDG base directory specification says to ignore a relative path.
  return xdg && isAbsolute(xdg) ? xdg : join(homedir() || userInfo().homedir, '.cache');
}

/** `debian 12`: a binary built on one release may lack another's shared libraries. */
function osRelease() {
  if (!existsSync('/etc/os-release')) return process.platform;
  const text = readFileSync('/etc/os-release', 'utf8');
  const field = (name) => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  return `${field('ID')} ${field('VERSION_ID')}`;
}

function filesIn(path) {
  let entries;
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOTDIR') return [path];
    throw error;
  }
  return entries
    .map((entry) => entry.name)
    .sort()
    .flatMap((name) => filesIn(join(path, name)));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const stock = args[0] === '--stock';
  if (args.length > (stock ? 1 : 0)) {
    console.error('use: node media-server/worker/cache.js [--stock]');
    process.exitCode = 2;
  } else {
    try {
      console.log(await ensureWorker({ stock, onLine: (line) => console.error(line) }));
    } catch (error) {
      console.error(error.message);
      process.exitCode = 1;
    }
  }
}
