import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { workerIdentity } from './cache.js';

export const HOW_TO_BUILD_WORKER =
  'Build the right one with `node media-server/worker/cache.js`, and unset MILLRACE_WORKER_BIN or set it to the path that this prints.';
const IDENTIFY_TIMEOUT_MS = 5000;

/**
 * Makes sure that the file at `path` is the worker this version needs, by asking it
 * (`--identify`). A stock mediasoup worker would start and then send viewers payload
 * types and header extensions that they never negotiated.
 *
 * Rejects with what is wrong and what to run.
 */
export async function checkWorkerBinary(path: string): Promise<void> {
  const problem = await workerProblem(path);
  if (problem) throw new Error(`${problem} ${HOW_TO_BUILD_WORKER}`);
}

/** @returns what is wrong with the file as the worker of this version, in a sentence */
export async function workerProblem(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.F_OK);
  } catch {
    return `There is no mediasoup worker at ${path}.`;
  }
  try {
    await access(path, constants.X_OK);
  } catch {
    return `The mediasoup worker ${path} is not executable.`;
  }
  const answer = await identify(path);
  const expected = workerIdentity();
  if (answer.said === expected) return undefined;
  if (answer.said.startsWith('millrace-')) {
    return `The mediasoup worker ${path} is "${answer.said}", but this version needs "${expected}".`;
  }
  if (answer.failure) return `The mediasoup worker ${path} does not run on this machine: ${answer.failure}.`;
  return `${path} is a stock mediasoup worker, or none at all; this version needs one with its patch ("${expected}").`;
}

interface Answer {
  readonly said: string;
  /** Set where the file could not be run; a worker that does not know the question is none. */
  readonly failure?: string;
}

function identify(path: string): Promise<Answer> {
  return new Promise((resolve) => {
    const options = { timeout: IDENTIFY_TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: 65536 } as const;
    execFile(path, ['--identify'], options, (error, stdout, stderr) => {
      const said = stdout.trim();
      if (!error) resolve({ said });
      // A number is the exit status of what ran. 127 is the dynamic linker's: a library is missing.
      else if (typeof error.code === 'number' && error.code !== 127) resolve({ said });
      else resolve({ said, failure: stderr.trim() || error.message });
    });
  });
}
