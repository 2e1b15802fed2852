import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordingId } from '../../core/recording/recording.ts';

/** Of the id; a socket's path has at most 107 bytes on Linux (unix(7)). */
const ID_DIGITS = 16;

/** The unix socket between receiver and muxer, in a folder that only this user may enter. */
export class SourceSocket {
  readonly path: string;
  readonly #folder: string;
  readonly #id: RecordingId;
  readonly #attempt: number;

  constructor(id: RecordingId, attempt: number) {
    this.#id = id;
    this.#attempt = attempt;
    this.#folder = mkdtempSync(join(tmpdir(), `${folderPrefix(id)}${attempt}-`));
    this.path = join(this.#folder, 'source');
  }

  /** What a receiver that was killed left would keep the next one from listening. */
  remove(): void {
    rmSync(this.path, { force: true });
  }

  /** With those of earlier attempts, which were perhaps killed. */
  removeFolder(): void {
    rmSync(this.#folder, { recursive: true, force: true });
    const prefix = folderPrefix(this.#id);
    for (const name of readdirSync(tmpdir())) {
      if (!name.startsWith(prefix)) continue;
      const attempt = Number.parseInt(name.slice(prefix.length), 10);
      if (attempt < this.#attempt) rmSync(join(tmpdir(), name), { recursive: true, force: true });
    }
  }
}

function folderPrefix(id: RecordingId): string {
  return `millrace-recorder-${id.slice(0, ID_DIGITS)}-`;
}
