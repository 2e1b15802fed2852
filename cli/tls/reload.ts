import { unwatchFile, watchFile } from 'node:fs';

const CHECK_INTERVAL_MS = 5000;

/**
 * Tells when one of the files has changed. They are looked at again and again, not watched: a Secret of
 * Kubernetes is replaced through a link, and certificate tools rename.
 * @returns the way to stop
 */
export function onFilesChanged(
  files: readonly string[],
  changed: () => void,
  intervalMs = CHECK_INTERVAL_MS,
): () => void {
  const listener = () => changed();
  for (const file of files) watchFile(file, { interval: intervalMs, persistent: false }, listener);
  return () => {
    for (const file of files) unwatchFile(file, listener);
  };
}
