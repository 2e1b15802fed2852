import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ZodError } from 'zod';
import { encodeEnvelope } from './envelope.ts';
import { numberedChunk } from './harness/numbered-chunks.ts';
import {
  type Checkpoint,
  decodeCheckpoint,
  decodeTail,
  encodeCheckpoint,
  encodeTail,
  type Tail,
} from './tail.ts';

const { bytes: body, cues, gaps, state, endMs } = numberedChunk(1, 3, 5000, 700);
const tail: Tail = { offset: 5000, body, cues, gaps, state, endMs };

const checkpoint: Checkpoint = {
  key: 'live/a.webm',
  reservation: '"etag"',
  upload: 'upload',
  head: 'head',
  parts: [
    { number: 2, etag: '"2"', bytes: 5_242_880 },
    { number: 19, etag: '"19"', bytes: 5_242_880 },
  ],
  coveredTo: 15_728_640,
  firstTail: 77,
  partLimit: 35,
  cues,
  gaps: { count: 9, totalMs: 1234, listed: gaps },
};

test('A tail is read back as it was', () => {
  assert.ok(gaps.length > 0 && cues.length > 0);
  assert.deepEqual(decodeTail(encodeTail(tail)), tail);
});

test('A checkpoint is read back as it was, before and after its first part', () => {
  assert.deepEqual(decodeCheckpoint(encodeCheckpoint(checkpoint)), checkpoint);
  const { upload: _, head: __, ...first } = checkpoint;
  assert.deepEqual(decodeCheckpoint(encodeCheckpoint(first)), first);
});

test('What is whole but no tail is refused, and so is what is no checkpoint', () => {
  const strange = encodeEnvelope({ offset: -1 }, new Uint8Array());
  assert.throws(() => decodeTail(strange), ZodError);
  assert.throws(() => decodeCheckpoint(strange), ZodError);
});

test('A tail of an ordinary second adds less than 1 kB to its media', () => {
  assert.ok(encodeTail(tail).length - body.length < 1000);
});

test('A checkpoint of a day’s recording is smaller than a tenth of the part that it is made after', () => {
  const parts = Array.from({ length: 9000 }, (_, index) => ({
    number: index + 2,
    etag: `"${'0123456789abcdef'.repeat(2)}"`,
    bytes: 5_242_880,
  }));
  assert.ok(encodeCheckpoint({ ...checkpoint, parts }).length < 524_288);
});
