import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { MillraceError } from '../protocol/error.ts';
import { type ObjectStore, StorageConflict, type Upload, type UploadedPart } from './object-store.ts';

/** An empty store for one test. */
export interface StorageTrial {
  readonly store: ObjectStore;
  /** The same storage as another process reaches it. */
  readonly peer: ObjectStore;
  /** Frees what the trial took. */
  stop(): Promise<void>;
}

export type MakeStore = () => Promise<StorageTrial>;
export type Open = (context: TestContext) => Promise<StorageTrial>;

/** Far longer than any call takes that is expected to succeed. */
export const LONG = { timeoutMs: 20_000 } as const;
/** The least that a part has which is not the last. */
export const PART_BYTES = 5 * 1024 * 1024;

export async function openTrial(context: TestContext, makeStore: MakeStore): Promise<StorageTrial> {
  const trial = await makeStore();
  context.after(async () => {
    trial.store.close();
    trial.peer.close();
    await trial.stop();
  });
  return trial;
}

export function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

/** Bytes that differ from place to place, and with the seed. */
export function filled(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed * 2_654_435_761 + 1;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Not by `deepEqual`, whose words for a difference of megabytes take minutes. */
export function assertBytes(actual: Uint8Array | undefined, expected: Uint8Array): void {
  assert.ok(actual, 'there is no object');
  assert.equal(actual.length, expected.length, 'another length');
  assert.ok(Buffer.compare(actual, expected) === 0, 'other bytes');
}

export async function collected(stream: AsyncIterable<Uint8Array> | undefined): Promise<Uint8Array> {
  assert.ok(stream, 'there is no object');
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return joined(chunks);
}

export const conflict = (error: unknown) => error instanceof StorageConflict;

export function named(errorName: string) {
  return (error: unknown) => error instanceof MillraceError && error.errorName === errorName;
}

/** How many of these succeeded; the others were refused by their condition, and by nothing else. */
export async function winners(calls: readonly Promise<unknown>[]): Promise<number> {
  const results = await Promise.allSettled(calls);
  for (const result of results) {
    if (result.status === 'rejected' && !conflict(result.reason)) throw result.reason;
  }
  return results.filter(({ status }) => status === 'fulfilled').length;
}

export async function keysOf(store: ObjectStore, prefix = '', after?: string): Promise<readonly string[]> {
  const listed = await store.list(prefix, { ...LONG, ...(after === undefined ? {} : { after }) });
  return listed.map(({ key }) => key);
}

export function createUpload(store: ObjectStore, key: string, metadata = {}): Promise<Upload> {
  return store.createUpload(key, { ...LONG, metadata, contentType: 'video/webm' });
}

/** Sends the parts by their numbers, in the order given, one after the other. */
export async function sendParts(
  store: ObjectStore,
  upload: Upload,
  parts: readonly (readonly [number: number, body: Uint8Array])[],
): Promise<readonly UploadedPart[]> {
  const sent: UploadedPart[] = [];
  for (const [number, body] of parts) {
    sent.push({ number, etag: (await store.uploadPart(upload, number, body, LONG)).etag });
  }
  return sent.sort((a, b) => a.number - b.number);
}
