import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { assembleChain, checkpointsOf, type FoundTail } from './chain.ts';
import { NO_GAPS } from './gaps.ts';
import { numberedChunk } from './harness/numbered-chunks.ts';
import { specOf } from './harness/trial.ts';
import type { Checkpoint } from './tail.ts';

const { id } = specOf();

function tailsOf(lengths: readonly number[]): readonly FoundTail[] {
  let offset = 0;
  return lengths.map((bytes, index) => {
    const { cues, gaps, state, endMs } = numberedChunk(1, index, offset, bytes);
    const tail = { n: index + 1, offset, bytes, cues, gaps, state, endMs };
    offset += bytes;
    return tail;
  });
}

/** Made when all tails before `firstTail` were covered, and some of its bytes. */
function checkpointAt(tails: readonly FoundTail[], firstTail: number, into: number): Checkpoint {
  const first = tails[firstTail - 1];
  return {
    key: 'a.webm',
    reservation: '"x"',
    parts: [],
    coveredTo: (first?.offset ?? 0) + into,
    firstTail,
    partLimit: 17,
    cues: tails.slice(0, firstTail - 1).flatMap(({ cues }) => cues),
    gaps: NO_GAPS,
  };
}

describe('A chain', () => {
  test('has the tails from the checkpoint to the first hole, whichever are found in whatever order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 30 }),
        fc.nat(),
        fc.nat(),
        fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
        fc.boolean(),
        (lengths, firstSeed, intoSeed, found, reversed) => {
          const tails = tailsOf(lengths);
          const firstTail = (firstSeed % tails.length) + 1;
          const into = intoSeed % ((tails[firstTail - 1]?.bytes ?? 0) + 1);
          const checkpoint = checkpointAt(tails, firstTail, into);
          const left = tails.filter((_, index) => found[index]);
          const chain = assembleChain(1, checkpoint, reversed ? left.toReversed() : left);
          const hole = tails.findIndex((_, index) => index >= firstTail - 1 && !found[index]);
          const expected = tails.slice(firstTail - 1, hole === -1 ? tails.length : hole);
          if (expected.length === 0 && checkpoint.coveredTo > 0) return assert.equal(chain, undefined);
          assert.ok(chain);
          assert.deepEqual(chain.tails, expected);
          const last = expected.at(-1);
          assert.equal(chain.nextOffset, last ? last.offset + last.bytes : 0);
          assert.deepEqual(chain.state, last?.state);
          assert.deepEqual(chain.cues, last ? tails.slice(0, last.n).flatMap(({ cues }) => cues) : []);
        },
      ),
    );
  });

  test('never goes on with a tail that does not begin where the one before ends', () => {
    const [one, two, three] = tailsOf([10, 10, 10]);
    assert.ok(one && two && three);
    const elsewhere = { ...two, offset: two.offset + 1 };
    const chain = assembleChain(1, checkpointAt([one], 1, 0), [one, elsewhere, three]);
    assert.deepEqual(chain?.tails, [one]);
  });

  test('is not made from a checkpoint whose tail is gone', () => {
    const tails = tailsOf([10, 10, 10]);
    assert.equal(assembleChain(1, checkpointAt(tails, 2, 3), tails.slice(2)), undefined);
  });
});

test('The newest checkpoint of the highest epoch is the best', () => {
  const file = { id, file: 0 };
  assert.deepEqual(
    checkpointsOf([
      { kind: 'checkpoint', ...file, epoch: 1, n: 9 },
      { kind: 'checkpoint', ...file, epoch: 2, n: 0 },
      { kind: 'tail', ...file, epoch: 3, n: 7 },
      { kind: 'claim', ...file, epoch: 4 },
      { kind: 'checkpoint', ...file, epoch: 2, n: 1 },
    ]),
    [
      { epoch: 2, n: 1 },
      { epoch: 2, n: 0 },
      { epoch: 1, n: 9 },
    ],
  );
});
