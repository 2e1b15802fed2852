// `npm test`: brings what the tests need, then runs them all. `npm test -- FILE...` runs some.

import { join } from 'node:path';
import { provideDebianPackages } from './debian.js';
import { installDependencies } from './install.js';
import { ROOT, runOnNode24 } from './node24.js';
import { ALL_TESTS } from './test-files.js';
import { runSetup } from './trouble.js';
import { provideVersitygw } from './versitygw.js';
import { provideWorker } from './worker.js';

const DEBIAN_PACKAGES = [
  { program: 'chromium', package: 'chromium', why: 'a browser that publishes and plays' },
  { program: 'firefox-esr', package: 'firefox-esr', why: 'the other browser' },
  { program: 'ip', package: 'iproute2', why: 'network namespaces' },
  { program: 'iptables', package: 'iptables', why: 'loss and limits in them' },
  { program: 'tcpdump', package: 'tcpdump', why: 'what is sent to whom' },
  { program: 'pulseaudio', package: 'pulseaudio', why: 'sound without a sound card' },
  { package: 'gstreamer1.0-nice', why: 'ICE for GStreamer, a client of WHIP and WHEP' },
  { package: 'gstreamer1.0-plugins-bad', why: 'WebRTC for it' },
  { package: 'gstreamer1.0-plugins-good', why: 'RTP for it' },
  { package: 'gstreamer1.0-plugins-base', why: 'pictures and sound for it' },
  { package: 'gir1.2-gst-plugins-bad-1.0', why: 'Python’s way to it' },
  { package: 'python3-gi', why: 'the same' },
  { package: 'python3-venv', why: 'aiortc, another client of WHIP and WHEP' },
  {
    program: 'redis-server',
    package: 'redis-server',
    why: 'the registry that processes share, Sentinels, clusters',
  },
  { program: 'turnserver', package: 'coturn', why: 'a relay for clients that reach no media port' },
  { program: 'ffmpeg', package: 'ffmpeg', why: 'what recordings hold, decoded by somebody else' },
  { program: 'g++', package: 'g++', why: 'the worker’s own tests' },
];

/** For a file as a whole; what hangs must not hang for ever. */
const FILE_TIMEOUT_MS = 15 * 60_000;

await runSetup(async () => {
  process.chdir(ROOT);
  const args = process.argv.slice(2);
  const files = args.filter((arg) => !arg.startsWith('-'));
  const options = args.filter((arg) => arg.startsWith('-'));
  await installDependencies();
  await provideDebianPackages(DEBIAN_PACKAGES);
  await provideVersitygw();
  const worker = await provideWorker();
  return runOnNode24(
    [
      '--test',
      '--test-reporter=spec',
      // One file at a time: the suites measure times, and use both cores of a small machine by themselves.
      '--test-concurrency=1',
      `--test-timeout=${FILE_TIMEOUT_MS}`,
      ...options,
      ...(files.length > 0 ? files : ALL_TESTS),
    ],
    { env: testEnvironment(worker), within: [join(ROOT, 'test', 'harness', 'in-namespace.sh')] },
  );
});

/** Whoever runs the tests may have settings of their own in the environment; the tests bring theirs. */
function testEnvironment(worker) {
  const rest = Object.entries(process.env).filter(([name]) => !name.startsWith('MILLRACE_'));
  return { ...Object.fromEntries(rest), MILLRACE_WORKER_BIN: worker };
}
