import assert from 'node:assert/strict';
import { it } from 'node:test';
import { testJudgements } from './harness/judged.ts';
import { judgeStorage } from './storage.ts';

const MIB = 1024 ** 2;
const trial = { conditions: true, writeMs: 20, clockAheadMs: 0 };
const tried = { kind: 'tried', location: '/recordings', trial, freeBytes: 5000 * MIB } as const;
const absent = {
  kind: 'absent',
  folder: '/srv/recordings',
  above: '/srv',
  writable: true,
  freeBytes: 5000 * MIB,
} as const;

testJudgements([
  ['no recording', judgeStorage({ kind: 'off' }), 'info', /MILLRACE_RECORDINGS=off/],
  ['a folder to be made', judgeStorage(absent), 'ok', /made at the first start; 5000 MiB free/],
  [
    'a folder that cannot be made',
    judgeStorage({ ...absent, writable: false }),
    'wrong',
    /may not write in \/srv.*install -d -o USER \/srv\/recordings/,
  ],
  [
    'a folder to be made on a full disk',
    judgeStorage({ ...absent, freeBytes: MIB }),
    'warning',
    /1 MiB free/,
  ],
  ['a folder that works', judgeStorage(tried), 'ok', /conditions are kept; 5000 MiB free/],
  [
    'a store that works',
    judgeStorage({ kind: 'tried', location: 's3://b', trial }),
    'ok',
    /^s3:\/\/b: .* conditions are kept$/,
  ],
  [
    'a store that fails, with its fix',
    judgeStorage({
      ...tried,
      trial: { ...trial, failure: { doing: 'write an object', why: 'it is full', fix: 'make room' } },
    }),
    'wrong',
    /cannot write an object: it is full Make room \(MILLRACE_RECORDINGS\)/,
  ],
  [
    'a store that fails, and nobody knows why',
    judgeStorage({ ...tried, trial: { ...trial, failure: { doing: 'list objects', why: 'X' } } }),
    'wrong',
    /cannot list objects: X See what the store says/,
  ],
  [
    'a store that ignores conditions',
    judgeStorage({ ...tried, trial: { ...trial, conditions: false } }),
    'warning',
    /one may replace the other.*only one server/,
  ],
  [
    'a clock ahead',
    judgeStorage({ ...tried, trial: { ...trial, clockAheadMs: 61_000 } }),
    'warning',
    /61 s ahead of this machine’s.*timedatectl/,
  ],
  [
    'a clock behind',
    judgeStorage({ ...tried, trial: { ...trial, clockAheadMs: -600_000 } }),
    'warning',
    /600 s behind/,
  ],
  [
    'a clock near enough',
    judgeStorage({ ...tried, trial: { ...trial, clockAheadMs: 59_000 } }),
    'ok',
    /kept/,
  ],
  [
    'a slow store',
    judgeStorage({ ...tried, trial: { ...trial, writeMs: 1400.4 } }),
    'warning',
    /1400 ms.*nearer/,
  ],
  [
    'a folder with little room',
    judgeStorage({ ...tried, freeBytes: 900 * MIB }),
    'warning',
    /900 MiB free.*another/,
  ],
]);

it('a folder that other machines may need', () => {
  const judged = judgeStorage({ ...tried, toBeShared: true });
  assert.deepEqual(
    judged.map(({ level }) => level),
    ['ok', 'info'],
  );
  assert.match(judged[1]?.seen ?? '', /other machines need the same folder/);
});

it('each fault of a store with several', () => {
  const all = { conditions: false, writeMs: 2000, clockAheadMs: 100_000 };
  const judged = judgeStorage({ ...tried, trial: all, freeBytes: 0 });
  assert.deepEqual(
    judged.map(({ level }) => level),
    ['warning', 'warning', 'warning', 'warning'],
  );
});
