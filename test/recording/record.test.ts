import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { ERROR_CODES } from '../../core/protocol/index.ts';
import { eventually } from '../harness/condition.ts';
import type { ReplyMessage } from '../harness/page.ts';
import { COLOURS, succeeded } from '../harness/viewing.ts';
import { leftovers, longestStill, readFinished } from './harness/finished-file.ts';
import { recorderPids } from './harness/recorder-processes.ts';
import { recorded, startRecording, startRecordingServer } from './harness/recording-server.ts';

const { fixture, folder, fileOf } = await startRecordingServer({ MILLRACE_RESUME_TIMEOUT: '3s' });

const { httpUrl } = fixture.server;

test('a stream is recorded from record.start to record.stop into a file that plays', async () => {
  const publisher = await fixture.open('chromium', '?events=1');
  succeeded(await publisher.publish('camera', { colour: COLOURS.blue }));
  const started = await startRecording(publisher, 'camera', 'a/first.webm');
  assert.ok(Math.abs(Date.parse(String(started.data.started_at)) - Date.now()) < 5000);
  await recorded(httpUrl, 'a/first.webm', 4000);
  const stopped = await publisher.request('record.stop', 'camera', {});
  succeeded(stopped);
  const { recording } = started.data;
  assert.deepEqual(stopped.data.recordings, [{ recording, fileName: 'a/first.webm' }]);

  const file = await readFinished(fileOf('a/first.webm'));
  assert.deepEqual([...file.codecs].sort(), ['opus', 'vp8']);
  assert.ok(file.durationMs >= 4000 && file.durationMs < 20_000, `${file.durationMs} ms`);
  assert.equal(file.warnings, '');
  assert.ok(longestStill(file) < 500, `the picture stood still for ${longestStill(file)} ms`);
  assert.deepEqual(leftovers(folder), []);
  await publisher.close();
});

test('two recordings of one stream run side by side, and the same asked for again is the same', async () => {
  const publisher = await fixture.open('chromium');
  succeeded(await publisher.publish('twice', { colour: COLOURS.green }));
  const [one, two] = [
    await startRecording(publisher, 'twice', 'one'),
    await startRecording(publisher, 'twice', 'two'),
  ];
  assert.notEqual(one.data.recording, two.data.recording);
  const again = await publisher.request('record.start', 'twice', { fileName: 'one' });
  assert.deepEqual(again.data, one.data);
  await recorded(httpUrl, 'two.webm', 1500);
  const stopped = await publisher.request('record.stop', 'twice', {});
  succeeded(stopped);
  assert.equal((stopped.data.recordings as unknown[]).length, 2);
  for (const name of ['one.webm', 'two.webm']) assert.equal((await readFinished(fileOf(name))).warnings, '');
  await eventually(
    'no recorder',
    () => recorderPids(fixture.server.process.pid ?? 0, 'supervisor').length === 0,
  );
  await publisher.close();
});

test('what cannot be recorded is refused at once, and nothing is ever overwritten', async () => {
  const publisher = await fixture.open('chromium');
  const refused = async (stream: string, fileName: string) =>
    (await publisher.request('record.start', stream, { fileName })).err;
  assert.equal(await refused('nobody', 'x'), ERROR_CODES.stream_not_found);
  succeeded(await publisher.publish('refused', { colour: COLOURS.red }));
  assert.equal(await refused('refused', '../x'), ERROR_CODES.name_refused);
  const before = readFileSync(fileOf('one.webm'));
  assert.equal(await refused('refused', 'one'), ERROR_CODES.name_taken);
  assert.deepEqual(readFileSync(fileOf('one.webm')), before);
  const h264 = await publisher.publish('h264', { colour: COLOURS.red, codec: 'H264' }, 'other');
  if (h264 !== undefined) assert.equal(await refused('h264', 'x'), ERROR_CODES.codec_not_recordable);
  assert.deepEqual(leftovers(folder), []);
  await publisher.close();
});

test('a recording ends by itself when its publisher has gone for the resume time, and its starter is told', async () => {
  const starter = await fixture.open('chromium', '?events=1');
  const publisher = await fixture.open('chromium');
  succeeded(await publisher.publish('gone', { colour: COLOURS.blue }));
  await startRecording(starter, 'gone', 'gone');
  await recorded(httpUrl, 'gone.webm', 1500);
  succeeded(await publisher.request('stream.close', 'gone', {}));
  const { data } = await eventually('record.ended', async () => {
    const events = await starter.run<ReplyMessage[]>('session.events');
    return events.find(({ method }) => method === 'record.ended');
  });
  assert.equal(data.outcome, 'completed');
  const [file] = data.files as { location: string; bytes: number }[];
  assert.equal(file?.location, fileOf('gone.webm'));
  assert.equal(file?.bytes, statSync(fileOf('gone.webm')).size);
  assert.equal((await readFinished(fileOf('gone.webm'))).warnings, '');
  await publisher.close();
  await starter.close();
});
