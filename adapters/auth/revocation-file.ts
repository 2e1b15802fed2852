import type { Logger } from 'pino';
import { type Revocations, readRevocations } from '../../core/auth/index.ts';
import { ReloadedFile } from './reloaded-file.ts';

/** Enough for some hundred thousand tokens. */
const MAX_BYTES = 16 * 1024 * 1024;

/** A list of revoked tokens in a file, and what it becomes. While it cannot be used, the former list counts. */
export class RevocationFile implements Revocations {
  readonly #file: ReloadedFile<ReturnType<typeof readRevocations>>;

  /** @throws Error that says why the file is of no use */
  constructor({ path, log, intervalMs }: { path: string; log: Logger; intervalMs?: number }) {
    this.#file = new ReloadedFile({
      path,
      what: 'revocations',
      read(content) {
        if (content.length > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`);
        return readRevocations(content.toString());
      },
      maxBytes: MAX_BYTES,
      count: ({ size }) => size,
      log,
      ...(intervalMs !== undefined && { intervalMs }),
    });
  }

  has(subject: string, id: string | undefined): boolean {
    return this.#file.value.has(subject, id);
  }

  close(): void {
    this.#file.close();
  }
}
