/** Folder and version of the installed mediasoup package. */
export function mediasoupPackage(): { folder: string; version: string };

/** What the patched worker says to `--identify`: `millrace-verbatim-consumer/<n> mediasoup/<version>`. */
export function workerIdentity(): string;

/** Where the cache holds the worker that is built from the sources as they are now; it may not be there yet. */
export function workerCachePath(options?: { stock?: boolean }): string;

/** The worker to run: `MILLRACE_WORKER_BIN` if set, else the one in the cache. Builds nothing. */
export function workerPath(): string;

/**
 * The worker's path, after building it if the cache lacks it (minutes). Of several
 * callers, in this or other processes, one builds and the others wait for it.
 *
 * `onLine` gets one line a stage, such as `[3/5] openssl and libsrtp, about 1 min`.
 * `stock` is mediasoup's own worker without the patch, for measurements.
 * Rejects with what is missing on this machine, or with the end of the failing stage's output.
 */
export function ensureWorker(options?: { onLine?: (line: string) => void; stock?: boolean }): Promise<string>;
