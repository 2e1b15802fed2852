import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  backOffMs,
  decide,
  FIRST_WORD_MS,
  HAND_OVER_MS,
  RECEIVE_MS,
  type RecorderFacts,
  type RecordingFacts,
  SILENT_MS,
} from './decide.ts';

const NOW = 1_000_000;
const RESUME = 60_000;

const recorder = (attempt: number, more: Partial<RecorderFacts> = {}): RecorderFacts => ({
  attempt,
  startedAtMs: NOW - 20_000,
  heardAtMs: NOW - 500,
  state: 'recording',
  leaving: false,
  receiving: true,
  ...more,
});

const facts = (more: Partial<RecordingFacts>): RecordingFacts => ({
  nowMs: NOW,
  attempt: 1,
  stopping: false,
  streamPresent: true,
  lastMediaAtMs: NOW - 20,
  resumeMs: RESUME,
  recorders: [recorder(1)],
  failures: 0,
  ...more,
});

/** `record 2 waits`, `hand over 1`, `stop 1`, `supersede 1`, `kill 1`, `launch record waits`, `again +ms`, ... */
function told(given: RecordingFacts): string[] {
  const { stopping, ended, orders, kill, launch, againAtMs } = decide(given);
  const word = { record: 'record', stop: 'stop', superseded: 'supersede' };
  const waits = (task: { waitForPredecessor: boolean }) => (task.waitForPredecessor ? ' waits' : '');
  return [
    ...(ended === undefined ? [] : [ended]),
    ...(stopping ? ['stopping'] : []),
    ...kill.map((attempt) => `kill ${attempt}`),
    ...orders.map((task) =>
      task.handOver ? `hand over ${task.attempt}` : `${word[task.todo]} ${task.attempt}${waits(task)}`,
    ),
    ...(launch === undefined ? [] : [`launch ${word[launch.todo]}${waits(launch)}`]),
    ...(Number.isFinite(againAtMs) ? [`again +${againAtMs - NOW}`] : []),
  ];
}

const silent = { heardAtMs: NOW - SILENT_MS };
const away = { streamPresent: false, lastMediaAtMs: NOW - RESUME + 1 };
const gone = { streamPresent: false, lastMediaAtMs: NOW - RESUME };
const leaving = { leaving: true };
const successor = (more: Partial<RecorderFacts> = {}) =>
  recorder(2, { startedAtMs: NOW - 1000, receiving: false, state: 'starting', ...more });

/** One that has not said a word. */
const mute = (more: Partial<RecorderFacts>): RecorderFacts => {
  const { heardAtMs: _, ...rest } = recorder(1, more);
  return rest;
};

const CASES: readonly (readonly [what: string, given: Partial<RecordingFacts>, told: readonly string[]])[] = [
  ['a new recording of a stream begins', { attempt: 0, recorders: [] }, ['launch record']],
  ['a recorder that records goes on', {}, ['record 1', 'again +2000']],
  ['one that is asked to stop is told so', { stopping: true }, ['stopping', 'stop 1', 'again +2000']],
  [
    'one that finishes by itself finishes',
    { recorders: [recorder(1, { state: 'finishing' })] },
    ['stopping', 'stop 1', 'again +2000'],
  ],
  [
    'one that is complete is at its end',
    { stopping: true, recorders: [recorder(1, { state: 'completed' })] },
    ['completed', 'stopping'],
  ],
  ['one that failed for good is at its end', { recorders: [recorder(1, { state: 'failed' })] }, ['failed']],
  [
    'an earlier attempt that is complete says nothing for the last one',
    { attempt: 2, recorders: [recorder(1, { state: 'completed' }), recorder(2)] },
    ['supersede 1', 'record 2 waits', 'again +2000'],
  ],

  ['a publisher that is away is waited for', { ...away }, ['record 1', 'again +1']],
  ['a publisher that is away for too long ends it', { ...gone }, ['stopping', 'stop 1', 'again +2000']],
  [
    'a stream that somebody holds does not end for want of media: it may be muted',
    { lastMediaAtMs: NOW - 10 * RESUME },
    ['record 1', 'again +2000'],
  ],
  [
    'a recording found without recorder waits for its publisher',
    { attempt: 0, recorders: [], ...away },
    ['again +1'],
  ],
  [
    'a recording found without recorder is completed when its publisher does not come',
    { attempt: 0, recorders: [], ...gone },
    ['stopping', 'launch stop'],
  ],

  ['a recorder that died has a successor at once', { recorders: [], endedAtMs: NOW }, ['launch record']],
  [
    'a recorder that died while nobody publishes has one when somebody does',
    { recorders: [], endedAtMs: NOW, ...away },
    ['again +1'],
  ],
  [
    'a recorder that died as it finished has one that completes the file',
    { stopping: true, recorders: [], endedAtMs: NOW },
    ['stopping', 'launch stop'],
  ],
  [
    'an attempt that came to nothing is followed by another after a while',
    { recorders: [], endedAtMs: NOW - 249, failures: 1 },
    ['again +1'],
  ],
  [
    'that while being over it is followed',
    { recorders: [], endedAtMs: NOW - 250, failures: 1 },
    ['launch record'],
  ],
  [
    'attempts that come to nothing never end',
    { recorders: [], endedAtMs: NOW - 5000, failures: 10_000 },
    ['launch record'],
  ],
  [
    'a recorder that says nothing is killed, and followed at once',
    { recorders: [recorder(1, silent)] },
    ['kill 1', 'launch record'],
  ],
  [
    'a recorder that says nothing as it finishes is killed, and followed by one that completes the file',
    { stopping: true, recorders: [recorder(1, silent)] },
    ['stopping', 'kill 1', 'launch stop'],
  ],
  [
    'a recorder that has not begun to speak is given time',
    { recorders: [mute({ startedAtMs: NOW - FIRST_WORD_MS + 1 })] },
    ['record 1', 'again +1'],
  ],
  [
    'a recorder that never speaks is killed',
    { recorders: [mute({ startedAtMs: NOW - FIRST_WORD_MS })] },
    ['kill 1', 'launch record'],
  ],

  [
    'a recorder that must leave goes on, and a successor is started that waits for it',
    { recorders: [recorder(1, leaving)] },
    ['record 1', 'launch record waits', 'again +2000'],
  ],
  [
    'it goes on while its successor has no media',
    { attempt: 2, recorders: [recorder(1, leaving), successor()] },
    ['record 1', 'record 2 waits', 'again +2000'],
  ],
  [
    'it goes when its successor has media',
    { attempt: 2, recorders: [recorder(1, leaving), successor({ receiving: true })] },
    ['hand over 1', 'record 2 waits', 'again +2000'],
  ],
  [
    'it goes when its successor takes too long to have media',
    { attempt: 2, recorders: [recorder(1, leaving), successor({ startedAtMs: NOW - RECEIVE_MS })] },
    ['hand over 1', 'record 2 waits', 'again +2000'],
  ],
  [
    'told to go, it is not asked to stay',
    { attempt: 2, recorders: [recorder(1, { ...leaving, handOverSinceMs: NOW - 1000 }), successor()] },
    ['hand over 1', 'record 2 waits', 'again +2000'],
  ],
  [
    'it is killed when it does not go',
    {
      attempt: 2,
      recorders: [recorder(1, { ...leaving, handOverSinceMs: NOW - HAND_OVER_MS }), successor()],
    },
    ['kill 1', 'record 2', 'again +2000'],
  ],
  [
    'its successor records when it has gone',
    { attempt: 2, recorders: [successor({ receiving: true })], endedAtMs: NOW },
    ['record 2', 'again +2000'],
  ],
  [
    'its successor must leave before it has gone: the next one waits for both',
    { attempt: 2, recorders: [recorder(1, leaving), successor(leaving)] },
    ['record 1', 'record 2 waits', 'launch record waits', 'again +2000'],
  ],
  [
    'its successor died: another waits for it',
    { attempt: 2, recorders: [recorder(1, leaving)], endedAtMs: NOW },
    ['record 1', 'launch record waits', 'again +2000'],
  ],
  [
    'one that must leave while nobody publishes has no successor before somebody does',
    { recorders: [recorder(1, leaving)], ...away },
    ['hand over 1', 'again +1'],
  ],
  [
    'one that must leave and is asked to stop goes',
    { stopping: true, recorders: [recorder(1, leaving)] },
    ['stopping', 'hand over 1', 'again +2000'],
  ],
  [
    'then another completes the file',
    { stopping: true, recorders: [], endedAtMs: NOW - 1 },
    ['stopping', 'launch stop'],
  ],
  [
    'asked to stop in the middle of a hand-over, the successor completes the file',
    { stopping: true, attempt: 2, recorders: [recorder(1, leaving), successor()] },
    ['stopping', 'hand over 1', 'stop 2 waits', 'again +2000'],
  ],
  [
    'an earlier attempt that was taken for dead and is not is superseded',
    { attempt: 2, recorders: [recorder(1), recorder(2)] },
    ['supersede 1', 'record 2 waits', 'again +2000'],
  ],
];

for (const [what, given, expected] of CASES) {
  test(`Decision on a recording: ${what}`, () => {
    assert.deepEqual(told(facts(given)), expected);
  });
}

test('Attempts that come to nothing follow each other ever more slowly, up to 5 s', () => {
  const waits = [0, 1, 2, 3, 4, 5, 100].map(backOffMs);
  assert.deepEqual(waits, [0, 250, 1000, 2000, 5000, 5000, 5000]);
});
