import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERROR_CODES } from '../../core/protocol/index.ts';
import { eventually } from '../harness/condition.ts';
import type { ReplyMessage } from '../harness/page.ts';
import { COLOURS, succeeded } from '../harness/viewing.ts';
import { leftovers, readFinished } from './harness/finished-file.ts';
import { recorded, startRecording, startRecordingServer } from './harness/recording-server.ts';

const { fixture, folder, fileOf } = await startRecordingServer({
  MILLRACE_MAX_RECORDINGS: '1',
  MILLRACE_MAX_RECORDING_DURATION: '4s',
  MILLRACE_RECORDING_SIDECAR: 'on',
});
const { httpUrl } = fixture.server;

test('a recording ends well at its longest duration, and its session is told', async () => {
  const publisher = await fixture.open('chromium', '?events=1');
  succeeded(await publisher.publish('long', { colour: COLOURS.blue }));
  await startRecording(publisher, 'long', 'long');
  const { data } = await eventually(
    'record.ended',
    async () => {
      const events = await publisher.run<ReplyMessage[]>('session.events');
      return events.find(({ method }) => method === 'record.ended');
    },
    { timeoutMs: 60_000 },
  );
  assert.equal(data.outcome, 'completed');
  const file = await readFinished(fileOf('long.webm'));
  assert.equal(file.warnings, '');
  assert.ok(Math.abs(file.durationMs - 4000) < 500, `${file.durationMs} ms`);
  // What ended so recently is what record.stop speaks of.
  const stopped = await publisher.request('record.stop', 'long', {});
  succeeded(stopped);
  assert.deepEqual(stopped.data.recordings, [{ recording: data.recording, fileName: 'long.webm' }]);
  assert.deepEqual(leftovers(folder), []);
  await publisher.close();
});

test('one recording more than there may be is refused, until one has ended', async () => {
  const publisher = await fixture.open('chromium');
  succeeded(await publisher.publish('many', { colour: COLOURS.red }));
  await startRecording(publisher, 'many', 'first');
  const refused = await publisher.request('record.start', 'many', { fileName: 'second' });
  assert.equal(refused.err, ERROR_CODES.too_many, refused.err_msg);
  await recorded(httpUrl, 'first.webm', 500);
  succeeded(await publisher.request('record.stop', 'many', {}));
  await startRecording(publisher, 'many', 'second');
  await recorded(httpUrl, 'second.webm', 500);
  succeeded(await publisher.request('record.stop', 'many', {}));
  await publisher.close();
});
