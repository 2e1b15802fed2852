import { appendFileSync } from 'node:fs';
import {
  ATTEMPT_VARIABLE,
  RECORDER_EXIT,
  type RecorderAttempt,
  type RecorderCalls,
  type RecorderNotice,
  type RecorderOrders,
  TOKEN_VARIABLE,
} from '../../../../core/channel/recorder.ts';
import { NO_PROGRESS } from '../../../../core/recording/progress.ts';
import { type RecordingState, recordingEpoch } from '../../../../core/recording/recording.ts';
import { connectWebSocket } from '../../../channel/websocket/client.ts';

/**
 * A recorder that records nothing and says that it does. `FAKE_LOG` names the file that it says there is one
 * in; `FAKE_WAY` may have it get no `media`, or `die` at once.
 */
const { FAKE_LOG: file = '', FAKE_WAY: way } = process.env;
const attempt: RecorderAttempt = JSON.parse(process.env[ATTEMPT_VARIABLE] ?? '');
const { spec, orders } = attempt;
const note = (what: string) =>
  appendFileSync(file, `${JSON.stringify({ attempt: attempt.attempt, pid: process.pid, what })}\n`);
note(orders.waitForPredecessor ? `${orders.todo} waits` : orders.todo);
if (way === 'die') process.exit(1);

const channel = connectWebSocket<RecorderCalls, RecorderNotice>(attempt.home, 'recorder', {
  token: async () => process.env[TOKEN_VARIABLE] ?? '',
  maxCallsInFlight: 10,
});
const startedMs = performance.now();
let state: RecordingState = 'starting';
let leaving = false;
let waits = orders.waitForPredecessor;
let finishing = false;
/** Since when nobody publishes. */
let silentSinceMs: number | undefined;

process.once('disconnect', () => leave('home is gone'));
process.on('SIGTERM', () => {
  leaving = true;
  void report();
});
channel.onNotice((notice) => void obey(notice.orders));
setInterval(() => void report(), 100);
void report();
if (orders.todo === 'stop') void finish();

async function report(): Promise<void> {
  const receiving = way !== 'media' && performance.now() - startedMs > 200;
  if (state === 'starting' && receiving && !waits) state = 'recording';
  const durableMs = state === 'starting' ? 0 : Math.round(performance.now() - startedMs);
  const done = state === 'completed' || state === 'failed';
  const next = await channel
    .call(
      'report',
      {
        recording: spec.id,
        attempt: attempt.attempt,
        leaving,
        receiving,
        silentMs: Math.round(
          performance.now() - (silentSinceMs ?? (receiving ? performance.now() : startedMs)),
        ),
        progress: {
          ...NO_PROGRESS,
          state,
          durableMs,
          ...(state !== 'starting' && { startedAtMs: 1_700_000_000_000 }),
          files: state === 'completed' ? [{ key: spec.key, bytes: 1000, durationMs: durableMs }] : [],
        },
      },
      { timeoutMs: 1000 },
    )
    .catch(() => undefined);
  if (next !== undefined && !done) await obey(next);
}

async function obey(next: RecorderOrders): Promise<void> {
  waits = next.waitForPredecessor;
  silentSinceMs = next.source === null ? (silentSinceMs ?? performance.now()) : undefined;
  if (next.todo === 'superseded') leave('superseded');
  if (next.handOver) leave('handed over');
  if (next.todo === 'stop' && !waits) await finish();
}

async function finish(): Promise<void> {
  if (finishing) return;
  finishing = true;
  const epoch = recordingEpoch(attempt.attempt, 0);
  const { granted } = await channel.call('finish', { recording: spec.id, epoch }, { timeoutMs: 1000 });
  if (!granted) leave('not granted');
  const nothing = way === 'media';
  state = nothing ? 'failed' : 'completed';
  await report();
  note(state);
  process.exit(nothing ? RECORDER_EXIT.failed : RECORDER_EXIT.completed);
}

function leave(why: string): never {
  note(why);
  process.exit(RECORDER_EXIT.left);
}
