import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseWorker } from './worker.ts';

type Worker = {
  readonly pid: number;
  readonly load: number;
  readonly streams: number;
  readonly viewers: number;
};

const worker = (pid: number, load: number, streams = 0, viewers = 0): Worker => ({
  pid,
  load,
  streams,
  viewers,
});

test('A publish goes to no worker when none is alive', () => {
  assert.equal(
    chooseWorker([], undefined, () => 0),
    undefined,
  );
});

describe('A publish goes to', () => {
  const cases: readonly [string, readonly Worker[], number][] = [
    ['the only worker', [worker(1, 1)], 1],
    ['the least loaded worker', [worker(1, 0.6), worker(2, 0.2)], 2],
    ['the worker with fewer streams where loads are equal', [worker(1, 0, 1, 0), worker(2, 0, 0, 5)], 2],
    [
      'the worker with fewer viewers where streams are equal too',
      [worker(1, 0, 1, 3), worker(2, 0, 1, 2)],
      2,
    ],
  ];
  for (const [name, workers, expected] of cases) {
    test(name, () => assert.equal(chooseWorker(workers, undefined, () => 0)?.pid, expected));
  }
});

describe('A play goes to', () => {
  const cases: readonly [string, readonly Worker[], readonly number[], number][] = [
    ["the stream's own worker, though others are idle", [worker(1, 0.7, 9, 99), worker(2, 0)], [], 1],
    ["the stream's own worker, though others pipe it", [worker(1, 0.7), worker(2, 0)], [2], 1],
    [
      'a worker that pipes the stream when its own is busy',
      [worker(1, 0.8), worker(2, 0.5), worker(3, 0)],
      [2],
      2,
    ],
    [
      'the idlest of the workers that pipe the stream',
      [worker(1, 0.8), worker(2, 0.5), worker(3, 0.3), worker(4, 0)],
      [2, 3],
      3,
    ],
    ['the least loaded worker when none pipes it', [worker(1, 0.8), worker(2, 0.6)], [], 2],
    ["the stream's own worker when all others are busier", [worker(1, 0.8), worker(2, 0.95)], [2], 1],
    [
      'the least loaded worker when those are busy too',
      [worker(1, 0.8), worker(2, 0.9), worker(3, 0.1)],
      [2],
      3,
    ],
    ['the only worker, full as it may be', [worker(1, 1)], [], 1],
  ];
  for (const [name, workers, piped, expected] of cases) {
    test(name, () => {
      const [own] = workers;
      assert.ok(own);
      const stream = { own, piped: workers.filter(({ pid }) => piped.includes(pid)) };
      assert.equal(chooseWorker(workers, stream, () => 0)?.pid, expected);
    });
  }
});
