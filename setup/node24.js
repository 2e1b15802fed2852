// Node 24 is the npm package `node`, so it is there once the dependencies are.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
export const NODE24 = join(ROOT, 'node_modules', '.bin', 'node');

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const ORPHAN_CHECK_MS = 500;

/**
 * Runs Node 24 in our place: its output is ours, signals go to it, and it never outlives us. The IPC channel
 * is how it learns that we were killed: it closes with us, whatever the signal.
 * @param {object} [options]
 * @param {string[]} [options.within] a command that runs the command behind it
 * @returns {Promise<number>} its exit status, 128 + n when signal n ended it
 */
export function runOnNode24(args, { env = process.env, within = [] } = {}) {
  return new Promise((resolve, reject) => {
    const [program, ...rest] = [...within, NODE24, ...args];
    const child = spawn(program, rest, { env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
    const forward = (signal) => child.kill(signal);
    for (const signal of FORWARDED) process.on(signal, forward);
    const stopWatching = endWithNpm(() => child.kill('SIGTERM'));
    const forget = () => {
      for (const signal of FORWARDED) process.off(signal, forward);
      stopWatching();
    };
    child.on('error', (error) => {
      forget();
      reject(error);
    });
    child.on('exit', (code, signal) => {
      forget();
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

/** Runs Node 24 to its end and gives back what it wrote. */
export function readFromNode24(args, { env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(NODE24, args, { env, cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}

/** npm tells nobody when it is killed outright; that our parent changed is the only sign. */
function endWithNpm(onOrphaned) {
  if (process.env.npm_lifecycle_event === undefined) return () => {};
  const npm = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(timer);
    onOrphaned();
  }, ORPHAN_CHECK_MS);
  return () => clearInterval(timer);
}
