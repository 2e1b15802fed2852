import { connectWebSocket } from '../adapters/channel/websocket/client.ts';
import {
  ATTEMPT_VARIABLE,
  RECORDER_EXIT,
  type RecorderAttempt,
  type RecorderCalls,
  type RecorderNotice,
  TOKEN_VARIABLE,
} from '../core/channel/recorder.ts';
import { Supervisor } from '../recorder/index.ts';
import { createLog } from './log.ts';
import { recorderLogLevel, recorderTls } from './recorder-environment.ts';

/** A report and a request to finish at once. */
const MAX_CALLS_IN_FLIGHT = 8;
/** Home asks more often; and by its silence nothing is lost. */
const HEARTBEAT_MS = 1000;

/**
 * `millrace recorder`: one attempt at one recording. It is told what to do by the environment, and by its home
 * over the internal channel; exits with a code of `RECORDER_EXIT`. SIGTERM asks for a successor and goes when
 * that has media; when the process that started it is gone, it makes everything durable and goes.
 */
export async function runRecorder(program: readonly [string, ...string[]]): Promise<void> {
  const { [ATTEMPT_VARIABLE]: text, [TOKEN_VARIABLE]: token } = process.env;
  if (text === undefined || token === undefined) {
    console.error(
      'millrace recorder is started by other processes of Millrace; to record, send record.start',
    );
    process.exit(RECORDER_EXIT.wrongSettings);
  }
  // Its parts are told by it, not by what it was told.
  delete process.env[ATTEMPT_VARIABLE];
  const attempt = JSON.parse(text) as RecorderAttempt;
  const { level, format } = recorderLogLevel(process.env);
  const log = createLog(level, format).child({
    component: 'recorder',
    recording: attempt.spec.id,
    attempt: attempt.attempt,
  });
  const supervisor = new Supervisor({
    attempt,
    program,
    log,
    now: () => performance.now(),
    connect: () =>
      connectWebSocket<RecorderCalls, RecorderNotice>(attempt.home, 'recorder', {
        token: async () => token,
        ...recorderTls(process.env),
        maxCallsInFlight: MAX_CALLS_IN_FLIGHT,
        limits: { heartbeatMs: HEARTBEAT_MS },
        onGone: (gone) => log.debug(gone, 'the channel to home is gone'),
      }),
  });
  process.on('SIGTERM', () => supervisor.leave());
  // A terminal sends them to every process of a group; what they mean for recordings, home knows.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  if (process.channel) process.once('disconnect', () => supervisor.homeLost());
  process.exit(await supervisor.ended);
}
