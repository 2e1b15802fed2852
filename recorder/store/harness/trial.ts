import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import { parseStreamName } from '../../../core/protocol/stream-name.ts';
import { parseFileName } from '../../../core/recording/file-name.ts';
import type { RecordingSpec } from '../../../core/recording/recording.ts';
import { parseRecordingId } from '../../../core/recording/recording-id.ts';
import type { ObjectStore } from '../../../core/storage/object-store.ts';
import { type ChunkMark, numberedChunk } from './numbered-chunks.ts';

export const LONG = { timeoutMs: 20_000 } as const;
export const silent = pino({ level: 'silent' });

export function specOf(
  change: Partial<RecordingSpec> = {},
  limits: Partial<RecordingSpec['limits']> = {},
): RecordingSpec {
  return {
    id: parseRecordingId('0123456789abcdef0123456789abcdef'),
    stream: parseStreamName('街头 1'),
    key: parseFileName('live/a.webm'),
    subject: 'alice',
    requestedAtMs: 1_700_000_000_000,
    limits: {
      maxDurationMs: 86_400_000,
      maxFileBytes: 2 ** 40,
      maxSpoolBytes: 2 ** 30,
      flushIntervalMs: 1000,
      resumeMs: 60_000,
      ...limits,
    },
    sidecar: false,
    ...change,
  };
}

export async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-store-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** All keys but those of the adapter itself. */
export async function keysIn(objects: ObjectStore, prefix = ''): Promise<readonly string[]> {
  const all: string[] = [];
  for (;;) {
    const after = all.at(-1);
    const page = await objects.list(prefix, { ...LONG, ...(after === undefined ? {} : { after }) });
    all.push(...page.map(({ key }) => key));
    if (page.length < 1000) return all;
  }
}

/** What a muxer does with a store: chunk after chunk, on from where a predecessor stood. */
export class Feeder {
  readonly #store: FedStore;
  readonly #epoch: number;
  #seq: number;
  #offset: number;
  /** Accepted. */
  readonly fed: ChunkMark[] = [];

  constructor(store: FedStore, epoch: number) {
    this.#store = store;
    this.#epoch = epoch;
    const timeline = store.recovered?.state?.timeline as { readonly seq: number } | undefined;
    this.#seq = timeline ? timeline.seq + 1 : 0;
    this.#offset = store.recovered?.nextOffset ?? 0;
  }

  /** @returns whether it was accepted */
  feed(bytes: number): boolean {
    const chunk = numberedChunk(this.#epoch, this.#seq, this.#offset, bytes);
    if (!this.#store.append(chunk)) return false;
    this.fed.push({ epoch: this.#epoch, seq: this.#seq, offset: this.#offset, bytes: chunk.bytes.length });
    this.#seq++;
    this.#offset += chunk.bytes.length;
    return true;
  }
}

type FedStore = {
  readonly recovered:
    | { readonly nextOffset: number; readonly state?: { readonly timeline: unknown } }
    | undefined;
  append(chunk: ReturnType<typeof numberedChunk>): boolean;
};
