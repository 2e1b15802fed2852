import { createHash } from 'node:crypto';
import { MillraceError } from '../../../core/protocol/error.ts';
import {
  type Condition,
  type Metadata,
  type ObjectStore,
  StorageConflict,
  type Upload,
} from '../../../core/storage/object-store.ts';
import type { Disk } from '../disk.ts';
import type { Sleep } from '../sleep.ts';

interface StoredObject {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly metadata: Metadata;
}

interface StoredUpload extends Upload {
  readonly metadata: Metadata;
  readonly parts: Map<number, { readonly body: Uint8Array; readonly etag: string }>;
}

/** Something that may happen next. */
interface Pending {
  readonly process: SimulatedProcess;
  /** Of a call: it has not reached the storage, and may still when its process is dead. */
  readonly onItsWay: boolean;
  happen(): void;
}

/** Numbers from 0 to 1, the same for the same seed. */
export type Chance = () => number;

export function chanceOf(seed: number): Chance {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A storage with S3's rules in which nothing happens by itself: each call is first on its way, then happens or
 * fails, then is answered or its answer is lost, in any order that chance gives. Of a process that was killed,
 * calls on their way may still happen; of one that was stopped they do.
 */
export class SimulatedStorage {
  readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<string, StoredUpload>();
  readonly #chance: Chance;
  readonly #partBytes: number;
  readonly #pending: Pending[] = [];
  #uploadCount = 0;
  /** Part of all calls that fail, half of them after they happened. */
  failing = 0;
  /** Conditions are not looked at. */
  unconditional = false;

  constructor(chance: Chance, partBytes: number) {
    this.#chance = chance;
    this.#partBytes = partBytes;
  }

  /** Lets one thing happen, of all that can. @returns whether there was any */
  async step(): Promise<boolean> {
    await new Promise(setImmediate);
    const possible = this.#pending.filter(({ process, onItsWay }) => onItsWay || process.state === 'runs');
    const chosen = possible[Math.floor(this.#chance() * possible.length)];
    if (!chosen) return false;
    this.#pending.splice(this.#pending.indexOf(chosen), 1);
    chosen.happen();
    await new Promise(setImmediate);
    return true;
  }

  /** Lets things happen until the promise is settled; `false` when nothing more can happen before. */
  async run(promise: Promise<unknown>, maxSteps = 100_000): Promise<boolean> {
    let settled = false;
    const done = () => {
      settled = true;
    };
    promise.then(done, done);
    for (let steps = 0; steps < maxSteps; steps++) {
      await new Promise(setImmediate);
      if (settled) return true;
      if (!(await this.step())) return settled;
    }
    throw new Error('it goes on for ever');
  }

  async quiet(): Promise<void> {
    await this.run(new Promise(() => {}));
  }

  /** What was on its way of dead processes may be lost. */
  lose(process: SimulatedProcess): void {
    for (const pending of [...this.#pending]) {
      if (pending.process !== process) continue;
      if (!pending.onItsWay || this.#chance() < 0.5) this.#pending.splice(this.#pending.indexOf(pending), 1);
    }
  }

  call<T>(process: SimulatedProcess, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const answer = (happen: () => void) => this.#pending.push({ process, onItsWay: false, happen });
      const unavailable = () => reject(new MillraceError('storage_unavailable', 'simulated'));
      const happen = () => {
        const luck = this.#chance();
        if (luck < this.failing / 2) return answer(unavailable);
        try {
          const result = work();
          answer(luck < this.failing ? unavailable : () => resolve(result));
        } catch (error) {
          answer(luck < this.failing ? unavailable : () => reject(error));
        }
      };
      if (process.state !== 'dead') this.#pending.push({ process, onItsWay: true, happen });
    });
  }

  wait(process: SimulatedProcess): Promise<void> {
    return new Promise((resolve) => this.#pending.push({ process, onItsWay: false, happen: resolve }));
  }

  put(key: string, body: Uint8Array, condition: Condition, metadata: Metadata): { readonly etag: string } {
    this.#check(key, condition);
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    this.objects.set(key, { body: Uint8Array.from(body), etag, metadata });
    return { etag };
  }

  #check(key: string, { ifMatch, ifNoneMatch }: Condition): void {
    if (this.unconditional) return;
    const there = this.objects.get(key);
    if (ifNoneMatch && there) throw new StorageConflict(`${key} exists`);
    if (ifMatch !== undefined && there?.etag !== ifMatch) throw new StorageConflict(`${key} is another`);
  }

  createUpload(key: string, metadata: Metadata): Upload {
    const id = `u${++this.#uploadCount}`;
    this.uploads.set(id, { key, id, metadata, parts: new Map() });
    return { key, id };
  }

  uploadPart(upload: Upload, number: number, body: Uint8Array): { readonly etag: string } {
    const found = this.uploads.get(upload.id);
    if (!found || found.key !== upload.key) throw new StorageConflict('no such upload');
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    found.parts.set(number, { body: Uint8Array.from(body), etag });
    return { etag };
  }

  complete(
    upload: Upload,
    parts: readonly { readonly number: number; readonly etag: string }[],
    condition: Condition,
  ): { readonly etag: string } {
    const found = this.uploads.get(upload.id);
    if (!found || found.key !== upload.key) throw new StorageConflict('no such upload');
    this.#check(upload.key, condition);
    const bodies = parts.map(({ number, etag }, index) => {
      const part = found.parts.get(number);
      if (!part || part.etag !== etag) throw new StorageConflict(`part ${number} is another`);
      if (index < parts.length - 1 && part.body.length < this.#partBytes)
        throw new Error('part is too small');
      return part.body;
    });
    const numbers = parts.map(({ number }) => number);
    if (numbers.some((number, index) => number <= (numbers[index - 1] ?? 0))) throw new Error('wrong order');
    this.uploads.delete(upload.id);
    return this.put(upload.key, Buffer.concat(bodies), {}, found.metadata);
  }
}

/** One process as the storage sees it, with its own clock and the spool of its machine. */
export class SimulatedProcess {
  readonly #storage: SimulatedStorage;
  state: 'runs' | 'stopped' | 'dead' = 'runs';

  constructor(storage: SimulatedStorage) {
    this.#storage = storage;
  }

  kill(): void {
    this.state = 'dead';
    this.#storage.lose(this);
  }

  readonly sleep: Sleep = () => this.#storage.wait(this);

  get objects(): ObjectStore {
    const storage = this.#storage;
    const call = <T>(work: () => T) => storage.call(this, work);
    const { objects, uploads } = storage;
    const withoutBody = ({ body, ...info }: StoredObject) => ({
      ...info,
      bytes: body.length,
      modifiedAtMs: 0,
    });
    return {
      location: 'simulation',
      put: (key, body, { metadata = {}, ...condition }) =>
        call(() => storage.put(key, body, condition, metadata)),
      head: (key) =>
        call(() => {
          const found = objects.get(key);
          return found && withoutBody(found);
        }),
      get: (key) => call(() => objects.get(key)?.body),
      read: () => Promise.reject(new Error('is not simulated')),
      delete: (keys) => call(() => keys.forEach((key) => void objects.delete(key))),
      list: (prefix, { after = '' }) =>
        call(() =>
          [...objects]
            .map(([key, { body }]) => ({ key, bytes: body.length, modifiedAtMs: 0 }))
            .filter(({ key }) => key.startsWith(prefix) && key > after)
            .sort((a, b) => (a.key < b.key ? -1 : 1))
            .slice(0, 1000),
        ),
      setMetadata: (key, metadata, { ifMatch }) =>
        call(() => {
          const found = objects.get(key);
          if (found?.etag !== ifMatch) throw new StorageConflict(key);
          objects.set(key, { ...found, metadata });
          return true;
        }),
      createUpload: (key, { metadata }) => call(() => storage.createUpload(key, metadata)),
      uploadPart: (upload, number, body) => call(() => storage.uploadPart(upload, number, body)),
      completeUpload: (upload, parts, condition) => call(() => storage.complete(upload, parts, condition)),
      abortUpload: ({ id }) => call(() => void uploads.delete(id)),
      uploads: (prefix) => call(() => [...uploads.values()].filter(({ key }) => key.startsWith(prefix))),
      presign: async () => undefined,
      close: () => {},
    };
  }
}

/** A machine's disk; processes on it die without it. */
export function simulatedDisk(): Disk {
  const files = new Map<string, Uint8Array>();
  return {
    write: async (path, bytes) => void files.set(path, Uint8Array.from(bytes)),
    read: async (path) => files.get(path),
    list: async (folder) => [...files.keys()].filter((path) => path.startsWith(folder)).sort(),
    delete: async (path) => void files.delete(path),
    deleteFolder: async (folder) => {
      for (const path of [...files.keys()]) if (path.startsWith(folder)) files.delete(path);
    },
  };
}
