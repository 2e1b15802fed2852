import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ensureWorker, workerCachePath, workerPath } from './cache.js';

const saved = { ...process.env };
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-cache-'));
  process.env.XDG_CACHE_HOME = folder;
  delete process.env.MILLRACE_WORKER_BIN;
});
afterEach(async () => {
  for (const name of ['XDG_CACHE_HOME', 'MILLRACE_WORKER_BIN', 'PATH']) {
    if (saved[name] === undefined) delete process.env[name];
    else process.env[name] = saved[name];
  }
  await rm(folder, { recursive: true });
});

async function putWorker(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, '#!/bin/sh\n', { mode: 0o755 });
}

test('the path lies in the cache folder and differs between the stock and the patched worker', () => {
  assert.match(workerCachePath(), new RegExp(`^${folder}/millrace/worker/[0-9a-f]{16}/mediasoup-worker$`));
  assert.equal(workerCachePath(), workerCachePath());
  assert.notEqual(workerCachePath(), workerCachePath({ stock: true }));
});

test('MILLRACE_WORKER_BIN comes before the cache, but not for a stock worker', async () => {
  const given = join(folder, 'given');
  await putWorker(given);
  process.env.MILLRACE_WORKER_BIN = given;
  assert.equal(workerPath(), given);
  assert.equal(await ensureWorker(), given);
  await putWorker(workerCachePath({ stock: true }));
  assert.equal(await ensureWorker({ stock: true }), workerCachePath({ stock: true }));
});

test('a MILLRACE_WORKER_BIN that cannot be run is refused by name', async () => {
  process.env.MILLRACE_WORKER_BIN = join(folder, 'absent');
  await assert.rejects(ensureWorker(), /MILLRACE_WORKER_BIN=.*absent is not an executable file/);
});

test('a worker that is in the cache is not built again', async () => {
  await putWorker(workerCachePath());
  const lines: string[] = [];
  assert.equal(await ensureWorker({ onLine: (line) => lines.push(line) }), workerCachePath());
  assert.deepEqual(lines, []);
});

test('while another process builds, a second start waits for its worker and builds none', async () => {
  const path = workerCachePath();
  await mkdir(dirname(path), { recursive: true });
  const holder = spawn('flock', [`${path}.lock`, 'sh', '-c', 'echo held; read line'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await once(holder.stdout, 'data');
  const lines: string[] = [];
  const waiting = ensureWorker({
    onLine: async (line) => {
      lines.push(line);
      await putWorker(path);
      holder.stdin.end('\n');
    },
  });
  assert.equal(await waiting, path);
  assert.deepEqual(lines, ['[0/5] waiting for another build of the same worker']);
});

test('a builder that was killed leaves no lock behind', async () => {
  const path = workerCachePath();
  await mkdir(dirname(path), { recursive: true });
  const holder = spawn('flock', ['--no-fork', `${path}.lock`, 'sh', '-c', 'echo held; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(holder.stdout, 'data');
  const lines: string[] = [];
  const waiting = ensureWorker({
    onLine: (line) => {
      lines.push(line);
      if (line.startsWith('[0/5]')) void putWorker(path).then(() => holder.kill('SIGKILL'));
    },
  });
  assert.equal(await waiting, path);
  assert.equal(lines.length, 1);
});

test('a machine without the tools and without apt is told what is missing', async () => {
  const tools = [
    'bash',
    'awk',
    'dirname',
    'flock',
    'grep',
    'id',
    'mkdir',
    'mktemp',
    'nproc',
    'realpath',
    'rm',
    'sed',
    'uname',
  ];
  const bin = join(folder, 'bin');
  await mkdir(bin);
  for (const tool of tools) await symlink(await which(tool), join(bin, tool));
  process.env.PATH = bin;
  await assert.rejects(ensureWorker(), (error: Error) => {
    assert.match(error.message, /cannot build the mediasoup worker/);
    for (const name of ['g\\+\\+', 'meson', 'cargo', 'libuv1-dev'])
      assert.match(error.message, new RegExp(`missing:.* ${name}`));
    assert.match(error.message, /MILLRACE_WORKER_BIN/);
    return true;
  });
});

async function which(tool: string): Promise<string> {
  for (const part of (saved.PATH ?? '').split(delimiter)) {
    const path = join(part, tool);
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  throw new Error(`${tool} is not on PATH`);
}
