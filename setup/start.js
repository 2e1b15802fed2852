// `npm start`: brings what is missing, then runs cli/main.ts on Node 24 in its own place.
import { join } from 'node:path';
import { installDependencies } from './install.js';
import { ROOT, readFromNode24, runOnNode24 } from './node24.js';
import { runSetup } from './trouble.js';
import { provideWorker, workerIsBuilt } from './worker.js';

const MAIN = join(ROOT, 'cli', 'main.ts');
/** Commands that say something and end; `doctor` says too whether the worker is there. */
const TELLING = ['help', 'settings', 'token', 'doctor'];

await runSetup(async () => {
  const args = process.argv.slice(2);
  await installDependencies();
  if (serves(args) && !(await workerIsBuilt())) {
    // A mistake in a setting is told now, not after minutes of building; and a worker may be named there.
    const settings = await readFromNode24([MAIN, 'settings', ...args.filter((arg) => arg !== 'all')]);
    if (settings.code !== 0) {
      process.stderr.write(settings.stderr);
      return settings.code;
    }
    if (!/^MILLRACE_WORKER_BIN=/m.test(settings.stdout)) await provideWorker();
  }
  return runOnNode24([MAIN, ...args]);
});

/** Whether these arguments end in a running server, rather than in some text. */
function serves(args) {
  const command = args.find((arg) => !arg.startsWith('-'));
  if (args.some((arg) => arg === '--help' || arg === '-h' || arg === '--version')) return false;
  return !TELLING.includes(command);
}
