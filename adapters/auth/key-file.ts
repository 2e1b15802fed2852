import type { Logger } from 'pino';
import { MAX_KEY_SET_BYTES, matchingKeys, readKeySet } from './key-set.ts';
import { ReloadedFile } from './reloaded-file.ts';
import type { Algorithm, KeySource, VerificationKey } from './verification-key.ts';

/** Keys from a file, and from what it becomes. */
export class KeyFile implements KeySource {
  readonly #file: ReloadedFile<readonly VerificationKey[]>;

  /** @throws UnusableKey for its content; the system's error when it cannot be read */
  constructor({ path, log, intervalMs }: { path: string; log: Logger; intervalMs?: number }) {
    this.#file = new ReloadedFile({
      path,
      what: 'keys for tokens',
      read(content) {
        const { keys, passedOver } = readKeySet(content);
        if (passedOver.length > 0) log.warn({ file: path, why: passedOver }, 'keys passed over');
        return keys;
      },
      maxBytes: MAX_KEY_SET_BYTES,
      count: (keys) => keys.length,
      log,
      ...(intervalMs !== undefined && { intervalMs }),
    });
  }

  async keysFor(algorithm: Algorithm, id: string | undefined): Promise<readonly VerificationKey[]> {
    return matchingKeys(this.#file.value, algorithm, id);
  }

  close(): void {
    this.#file.close();
  }
}
