import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Logger } from 'pino';

const CHECK_INTERVAL_MS = 5000;

export interface ReloadedFileOptions<Value> {
  readonly path: string;
  /** What it holds, for the log: a plural. */
  readonly what: string;
  /** @throws Error whose message says why the content is of no use */
  readonly read: (content: Buffer) => Value;
  /** One byte more than this is handed to `read`, which refuses it. */
  readonly maxBytes: number;
  /** For the log of a reload. */
  readonly count: (value: Value) => number;
  readonly log: Logger;
  readonly intervalMs?: number;
}

/**
 * What a file holds, and what it becomes. It is read again and again, not watched: a Secret of Kubernetes is
 * replaced through a link, and a change between reading and watching would be missed.
 */
export class ReloadedFile<Value> {
  readonly #options: ReloadedFileOptions<Value>;
  readonly #timer: NodeJS.Timeout;
  #content: Buffer;
  #value: Value;
  #reading = false;
  #failing = false;

  /** @throws what `read` throws; the system's error when it cannot be read */
  constructor(options: ReloadedFileOptions<Value>) {
    this.#options = options;
    this.#content = readFileSync(options.path);
    this.#value = options.read(this.#content);
    this.#timer = setInterval(() => void this.#check(), options.intervalMs ?? CHECK_INTERVAL_MS);
    this.#timer.unref();
  }

  get value(): Value {
    return this.#value;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #check(): Promise<void> {
    // A file on a network that hangs is not read twice at once.
    if (this.#reading) return;
    this.#reading = true;
    const { path, what, read, maxBytes, count, log } = this.#options;
    try {
      const content = await readBounded(path, maxBytes);
      if (!content.equals(this.#content)) {
        this.#value = read(content);
        this.#content = content;
        log.info({ file: path, count: count(this.#value) }, `${what} reloaded`);
      }
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) {
        const why = error instanceof Error ? error.message : String(error);
        log.warn({ file: path, why }, `the changed ${what} cannot be used; the former stay`);
      }
      this.#failing = true;
    } finally {
      this.#reading = false;
    }
  }
}

/** One byte more than is taken, so that a file that is too long is refused as such. */
async function readBounded(path: string, maxBytes: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(maxBytes + 1);
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
