import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Logger } from 'pino';
import { type KeySet, MAX_KEY_SET_BYTES, matchingKeys, readKeySet } from './key-set.ts';
import type { Algorithm, KeySource, VerificationKey } from './verification-key.ts';

const CHECK_INTERVAL_MS = 5000;

/**
 * Keys from a file, and from what it becomes. It is read again and again, not watched: a Secret of Kubernetes is
 * replaced through a link, and a change between reading and watching would be missed.
 */
export class KeyFile implements KeySource {
  readonly #path: string;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  #content: Buffer;
  #keys: readonly VerificationKey[];
  #reading = false;
  #failing = false;

  /** @throws UnusableKey for its content; the system's error when it cannot be read */
  constructor({
    path,
    log,
    intervalMs = CHECK_INTERVAL_MS,
  }: { path: string; log: Logger; intervalMs?: number }) {
    this.#path = path;
    this.#log = log;
    this.#content = readFileSync(path);
    this.#keys = this.#take(readKeySet(this.#content));
    this.#timer = setInterval(() => void this.#check(), intervalMs);
    this.#timer.unref();
  }

  async keysFor(algorithm: Algorithm, id: string | undefined): Promise<readonly VerificationKey[]> {
    return matchingKeys(this.#keys, algorithm, id);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #check(): Promise<void> {
    // A file on a network that hangs is not read twice at once.
    if (this.#reading) return;
    this.#reading = true;
    try {
      const content = await readBounded(this.#path);
      if (content.equals(this.#content)) {
        this.#failing = false;
        return;
      }
      this.#keys = this.#take(readKeySet(content));
      this.#content = content;
      this.#failing = false;
      this.#log.info({ file: this.#path, keys: this.#keys.length }, 'keys for tokens reloaded');
    } catch (error) {
      if (!this.#failing) {
        const why = error instanceof Error ? error.message : String(error);
        this.#log.warn(
          { file: this.#path, why },
          'the changed keys for tokens cannot be used; the former stay',
        );
      }
      this.#failing = true;
    } finally {
      this.#reading = false;
    }
  }

  #take({ keys, passedOver }: KeySet): readonly VerificationKey[] {
    if (passedOver.length > 0) this.#log.warn({ file: this.#path, why: passedOver }, 'keys passed over');
    return keys;
  }
}

/** One byte more than is taken, so that a file that is too long is refused as such. */
async function readBounded(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(MAX_KEY_SET_BYTES + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return Buffer.from(buffer.subarray(0, length));
  } finally {
    await file.close();
  }
}
