import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const here = import.meta.dirname;
// Both take 2 s each on a free core.
const COMPILE_TIMEOUT_MS = 180_000;
const RUN_TIMEOUT_MS = 120_000;

test('the rewrite of RTP packets stands a million hostile ones under sanitizers', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-wire-format-'));
  try {
    const program = join(folder, 'wire-format');
    const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
    const warnings = ['-Wall', '-Wextra', '-Werror'];
    const source = join(here, 'wire-format.test.cpp');
    const args = ['-std=c++20', '-g', '-O1', ...warnings, ...sanitizers, '-I', join(here, 'include'), source];
    await run('g++', [...args, '-o', program], { timeout: COMPILE_TIMEOUT_MS });
    const { stdout } = await run(program, ['1000000'], { timeout: RUN_TIMEOUT_MS });
    assert.match(stdout, /^\d+ truncations, 1000000 mutations, 0 failures$/m);
  } finally {
    await rm(folder, { recursive: true });
  }
});
