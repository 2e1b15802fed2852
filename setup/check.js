// `npm run check`, the edit loop: types, lint and unit tests, in under 30 s, without root or browsers.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { installDependencies } from './install.js';
import { ROOT, runOnNode24 } from './node24.js';
import { QUICK_TESTS } from './test-files.js';
import { runSetup } from './trouble.js';

/** For a file as a whole; what hangs must not hang for ever. */
const FILE_TIMEOUT_MS = 3 * 60_000;

await runSetup(async () => {
  process.chdir(ROOT);
  await installDependencies();
  const colours = process.stdout.isTTY === true;
  const passed = await Promise.all([
    step('types', 'tsc', ['--noEmit', ...(colours ? ['--pretty'] : [])]),
    step('lint', 'biome', ['check', ...(colours ? ['--colors=force'] : [])]),
  ]);
  const startedMs = performance.now();
  const tests = await runOnNode24([
    '--test',
    '--test-reporter=dot',
    `--test-timeout=${FILE_TIMEOUT_MS}`,
    ...QUICK_TESTS,
  ]);
  report('unit tests', tests === 0, startedMs);
  return passed.every(Boolean) && tests === 0 ? 0 : 1;
});

/** Its output is shown only when it fails. */
function step(name, program, args) {
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(join(ROOT, 'node_modules', '.bin', program), args, {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== 0) process.stdout.write(Buffer.concat(output));
      report(name, code === 0, startedMs);
      resolve(code === 0);
    });
  });
}

function report(name, passed, startedMs) {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${name}, ${seconds} s`);
}
