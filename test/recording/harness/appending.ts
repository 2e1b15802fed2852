import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { RecordingSpec } from '../../../core/recording/recording.ts';
import { recordingEpoch } from '../../../core/recording/recording.ts';
import { newRecordingId } from '../../../core/recording/recording-id.ts';
import type { ObjectStore } from '../../../core/storage/object-store.ts';
import { type ChunkMark, readFile } from '../../../recorder/store/harness/numbered-chunks.ts';
import { keysIn, LONG, specOf } from '../../../recorder/store/harness/trial.ts';
import { eventually } from '../../harness/condition.ts';
import {
  type AppenderOrder,
  type AppenderTask,
  type AppenderWord,
  openPlace,
  type StoragePlace,
} from './appender.ts';

export interface SmallDisk {
  readonly folder: string;
  readonly bytes: number;
}

/** A process that writes, and what it has said. */
export class Appender {
  readonly epoch: number;
  readonly #child: ChildProcess;
  readonly #words: AppenderWord[] = [];
  #promisedTo: number | undefined;

  /** @param disk a folder that is a small disk of its own, which only this process sees */
  constructor(order: AppenderOrder, disk?: SmallDisk) {
    this.epoch = order.epoch;
    const program = [process.execPath, join(import.meta.dirname, 'appender.ts'), JSON.stringify(order)];
    const mount = `mount -t tmpfs -o size=${disk?.bytes} tmpfs "$0" && exec "$@"`;
    const [command = '', ...args] = disk
      ? ['unshare', '--mount', 'sh', '-c', mount, disk.folder, ...program]
      : program;
    this.#child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (word: AppenderWord) => this.#words.push(word));
  }

  get words(): readonly AppenderWord[] {
    return this.#words;
  }

  /** What it was told is durable. */
  get durableTo(): number {
    return Math.max(0, ...this.#words.map((word) => (word.type === 'durable' ? word.to : 0)));
  }

  async said<T extends AppenderWord['type']>(
    type: T,
    timeoutMs = 60_000,
  ): Promise<AppenderWord & { type: T }> {
    return await eventually(
      `the appender says ${type}`,
      () => {
        const ended = this.#words.find((word) => word.type === 'ended');
        if (ended && type !== 'ended') assert.fail(JSON.stringify(ended));
        return this.#words.find((word): word is AppenderWord & { type: T } => word.type === type);
      },
      { timeoutMs, everyMs: 5 },
    );
  }

  /** @returns once that much is durable */
  async durable(bytes: number): Promise<void> {
    await eventually(`${bytes} bytes are durable`, () => this.durableTo >= bytes, {
      timeoutMs: 60_000,
      everyMs: 10,
    });
  }

  tell(task: AppenderTask): void {
    this.#child.send(task);
  }

  /** What it was told before it was stopped: what it writes after that is nobody's any more. */
  get promisedTo(): number {
    return this.#promisedTo ?? this.durableTo;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#promisedTo ??= this.durableTo;
    this.#child.kill(signal);
  }

  get isDead(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async kill(): Promise<void> {
    if (this.isDead) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

export interface WriterOptions {
  /** Writers on the same one share its spool. */
  readonly machine?: number;
  /** 0 = it only finishes what is there. */
  readonly chunkBytes?: number;
  readonly everyMs?: number;
  /** Its spool is on a disk of that size. */
  readonly diskBytes?: number;
}

/** One recording, its writers one after the other, and what must be left of it. */
export class Appending {
  readonly objects: ObjectStore;
  readonly spec: RecordingSpec;
  readonly #place: StoragePlace;
  readonly #context: TestContext;
  readonly #spools: string[] = [];
  readonly #appenders: Appender[] = [];
  #attempt = 0;

  constructor(context: TestContext, place: StoragePlace, limits: Partial<RecordingSpec['limits']> = {}) {
    this.#context = context;
    this.#place = place;
    this.objects = openPlace(place);
    this.spec = specOf(
      { id: newRecordingId((count) => crypto.getRandomValues(new Uint8Array(count))) },
      limits,
    );
    context.after(async () => {
      await Promise.all(this.#appenders.map((appender) => appender.kill()));
      this.objects.close();
    });
  }

  start(options: WriterOptions = {}): Appender {
    const { machine = 0, chunkBytes = 250_000, everyMs = 40, diskBytes } = options;
    const spoolDirectory = this.#spool(machine);
    const order = {
      ...{ place: this.#place, spoolDirectory, spec: this.spec, chunkBytes, everyMs },
      epoch: recordingEpoch(++this.#attempt, 0),
    };
    const disk = diskBytes === undefined ? undefined : { folder: spoolDirectory, bytes: diskBytes };
    const appender = new Appender(order, disk);
    this.#appenders.push(appender);
    return appender;
  }

  /** A process that only completes what is there. */
  finisher(machine = 0): Appender {
    return this.start({ machine, chunkBytes: 0 });
  }

  #spool(machine: number): string {
    this.#spools[machine] ??= mkdtempSync(join(tmpdir(), 'millrace-spool-'));
    const path = this.#spools[machine];
    this.#context.after(() => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  /** One whole file with all that its writers were told is durable, and nothing else of it anywhere. */
  async check(key: string = this.spec.key): Promise<readonly ChunkMark[]> {
    const content = await wholeObject(this.objects, key);
    const chunks = readFile(content);
    const end = chunks.reduce((to, { offset, bytes }) => Math.max(to, offset + bytes), 0);
    const promised = Math.max(...this.#appenders.map(({ promisedTo }) => promisedTo));
    assert.ok(end >= promised, `${promised} bytes were durable, ${end} are there`);
    assert.deepEqual(await keysIn(this.objects, '.millrace/'), []);
    assert.deepEqual(await this.objects.uploads('', LONG), []);
    return chunks;
  }

  /** The spools have no files of it. */
  checkSpools(): void {
    for (const spool of this.#spools) {
      if (spool === undefined) continue;
      const files = readdirSync(spool, { recursive: true, withFileTypes: true }).filter((entry) =>
        entry.isFile(),
      );
      assert.deepEqual(
        files.map(({ name }) => name),
        [],
      );
    }
  }
}

export async function wholeObject(objects: ObjectStore, key: string): Promise<Buffer> {
  const stream = await objects.read(key, LONG);
  assert.ok(stream, `there is no ${key}`);
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}
