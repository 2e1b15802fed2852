// `npm run bench`: brings what the measurements need, then runs them. `npm run bench -- NAME... [--short] [--save]`
// runs some.
import { join } from 'node:path';
import { provideDebianPackages } from './debian.js';
import { installDependencies } from './install.js';
import { provideLoadClient } from './load-client.js';
import { ROOT, runOnNode24 } from './node24.js';
import { runSetup } from './trouble.js';
import { provideVersitygw } from './versitygw.js';
import { provideWorker } from './worker.js';

const DEBIAN_PACKAGES = [
  { program: 'chromium', package: 'chromium', why: 'a browser that joins' },
  { program: 'ip', package: 'iproute2', why: 'a network namespace' },
  { program: 'ffmpeg', package: 'ffmpeg', why: 'what is recorded, and another recorder of it' },
  { program: 'gst-launch-1.0', package: 'gstreamer1.0-tools', why: 'one more recorder' },
  { package: 'gstreamer1.0-plugins-base', why: 'sound for it' },
  { package: 'gstreamer1.0-plugins-good', why: 'RTP and WebM for it' },
  { package: 'gstreamer1.0-plugins-bad', why: 'its parser of Opus' },
];

/** The only one that compares with it, and it takes minutes to build. */
const WITH_STOCK_WORKER = 'viewers';

await runSetup(async () => {
  const named = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
  const needsStockWorker = named.length === 0 || named.includes(WITH_STOCK_WORKER);
  process.chdir(ROOT);
  await installDependencies();
  await provideDebianPackages(DEBIAN_PACKAGES);
  await provideVersitygw();
  const env = {
    // Whoever runs this may have settings of their own in the environment.
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MILLRACE_'))),
    MILLRACE_WORKER_BIN: await provideWorker(),
    ...(needsStockWorker && { BENCH_STOCK_WORKER: await provideWorker({ stock: true }) }),
    BENCH_LOAD_CLIENT: await provideLoadClient(),
  };
  return runOnNode24(
    ['--disable-warning=ExperimentalWarning', join(ROOT, 'bench', 'main.ts'), ...process.argv.slice(2)],
    { env, within: [join(ROOT, 'test', 'harness', 'in-namespace.sh')] },
  );
});
