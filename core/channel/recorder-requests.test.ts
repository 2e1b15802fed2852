import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NO_PROGRESS } from '../recording/progress.ts';
import { parsedService } from './parsed-service.ts';
import type { RecorderCalls, RecorderNotice, RecorderReport } from './recorder.ts';
import { RECORDER_REQUESTS, RECORDING_REQUESTS } from './recorder-requests.ts';
import type { RecordingCalls, RecordingNotice } from './recordings.ts';
import type { Peer, Serve } from './service.ts';

const PEER: Peer<never> = { identity: {}, notify: () => {}, onClose: () => {} };
const ID = '0123456789abcdef0123456789abcdef';
const REPORT = {
  recording: ID,
  attempt: 2,
  progress: {
    ...NO_PROGRESS,
    state: 'recording',
    startedAtMs: 1_700_000_000_000.5,
    message: 'storage is away',
  },
  leaving: false,
  receiving: true,
  silentMs: 0.4,
  storage: { flushesMs: [12.5], errors: 0 },
};

function recorder() {
  const heard: RecorderReport[] = [];
  const serve: Serve<RecorderCalls, RecorderNotice> = () => ({
    async report(report) {
      heard.push(report);
      return { todo: 'record', source: null, waitForPredecessor: false, handOver: false };
    },
    finish: async () => ({ granted: true }),
  });
  return { heard, handlers: parsedService(serve, RECORDER_REQUESTS)(PEER) };
}

describe('What a recorder asks its home', () => {
  test('reaches it as it was said, without what only a newer recorder says', async () => {
    const { heard, handlers } = recorder();
    await handlers.report({ ...REPORT, later: 1 } as never);
    assert.deepEqual(heard, [REPORT]);
    assert.deepEqual(await handlers.finish({ recording: ID, epoch: 131_072 } as never), { granted: true });
  });

  for (const [what, report] of Object.entries({
    nothing: undefined,
    'another recording’s path': { ...REPORT, recording: '../..' },
    'no attempt': { ...REPORT, attempt: 0 },
    'a state that there is not': { ...REPORT, progress: { ...REPORT.progress, state: 'odd' } },
    'no number': { ...REPORT, progress: { ...REPORT.progress, bytes: 'many' } },
    'a time that is none': { ...REPORT, silentMs: null },
  })) {
    test(`is refused with ${what}`, async () => {
      const { heard, handlers } = recorder();
      await assert.rejects(handlers.report(report as never), /"report"|recording/);
      assert.deepEqual(heard, []);
    });
  }
});

describe('What signaling asks a host of recordings', () => {
  const serve: Serve<RecordingCalls, RecordingNotice> = () => ({
    start: async (request) => request as never,
    stop: async (request) => request as never,
  });
  const handlers = parsedService(serve, RECORDING_REQUESTS)(PEER);
  const START = { stream: 'lobby', key: 'a/b.webm', subject: '', timeoutMs: 5000, store: 'one' };

  test('reaches it as it was said', async () => {
    assert.deepEqual(await handlers.start(START as never), START);
    const more = { ...START, origin: 'record.start', maxDurationMs: 1000 };
    assert.deepEqual(await handlers.start(more as never), more);
  });

  test('is refused with a name that leads elsewhere', async () => {
    await assert.rejects(handlers.start({ ...START, key: '../a.webm' } as never), {
      errorName: 'name_refused',
    });
    await assert.rejects(handlers.stop({ recording: 'x', timeoutMs: 1 } as never));
  });
});
