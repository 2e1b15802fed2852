// The patched mediasoup worker, built once into the user's cache.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Progress } from './progress.js';
import { Trouble } from './trouble.js';

/** What one core needs for a build, and what cannot be spread over several. */
const BUILD_CORE_MINUTES = 10;
const BUILD_SERIAL_MINUTES = 1;

/**
 * @param {{stock?: boolean}} [options] stock: mediasoup's own worker without the patch, for measurements
 * @returns {Promise<string>} the path of the worker; built now if need be, with progress on stderr
 */
export async function provideWorker({ stock = false } = {}) {
  // Imported late: it looks into the mediasoup package, which is there only once dependencies are.
  const { ensureWorker, workerCachePath, workerPath } = await import('../media-server/worker/cache.js');
  const there = stock ? workerCachePath({ stock }) : workerPath();
  if (existsSync(there)) return there;
  const minutes = Math.ceil(BUILD_SERIAL_MINUTES + BUILD_CORE_MINUTES / availableParallelism());
  const progress = new Progress(
    `building the ${stock ? 'stock worker' : 'media worker'}, once`,
    `about ${minutes} min`,
  );
  try {
    const path = await ensureWorker({ stock, onLine: (line) => progress.stage(line) });
    progress.stop('done');
    return path;
  } catch (error) {
    progress.stop('failed');
    throw new Trouble(error.message);
  }
}

/** @returns {Promise<boolean>} whether a worker is there without building one */
export async function workerIsBuilt() {
  const { workerPath } = await import('../media-server/worker/cache.js');
  return existsSync(workerPath());
}
