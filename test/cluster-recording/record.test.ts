import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ERROR_CODES } from '../../core/protocol/index.ts';
import { COLOURS, succeeded } from '../harness/viewing.ts';
import { drawnCounters } from '../recording/harness/counter-publisher.ts';
import { leftovers } from '../recording/harness/finished-file.ts';
import { playable } from '../recording/harness/playable.ts';
import { recorderPids } from '../recording/harness/recorder-processes.ts';
import { listedRecording, recorded, startRecording } from '../recording/harness/recording-server.ts';
import { ended, FPS, recordCounter, startRecordingCluster } from './harness/recording-cluster.ts';

const { cluster, folder, fileOf } = await startRecordingCluster({ signaling: 2, media: 2 });
const [one, two] = [cluster.front(0), cluster.front(1)];

test('what one signaling process was told to record, another stops; the file plays, and is served by both', async (t) => {
  const publisher = await recordCounter(t, cluster, one, 'across');
  const { id } = (await listedRecording(two.httpUrl, 'across.webm')) ?? {};
  const holder = await cluster.holderOf('across');
  // Its packets go no further than they must.
  assert.equal(recorderPids(holder?.process.pid ?? 0, 'supervisor').length, 1);
  const other = await cluster.open(two);
  const again = await other.request('record.start', 'across', { fileName: 'across' });
  succeeded(again);
  assert.equal(again.data.recording, id);
  const stopped = await other.request('record.stop', 'across', { fileName: 'across' });
  succeeded(stopped);
  assert.deepEqual(stopped.data.recordings, [{ recording: id, fileName: 'across.webm' }]);
  const { data } = await ended(publisher, 'across');
  assert.deepEqual([data.recording, data.outcome], [id, 'completed']);
  await playable(fileOf('across'), { drawn: await drawnCounters(publisher), fps: FPS });
  assert.deepEqual(leftovers(folder), []);
  for (const { httpUrl } of [one, two]) {
    const film = await fetch(`${httpUrl}/api/v1/recordings/${id}/files/0`, {
      headers: { range: 'bytes=0-3' },
    });
    assert.deepEqual([...new Uint8Array(await film.arrayBuffer())], [0x1a, 0x45, 0xdf, 0xa3]);
  }
  await other.close();
});

test('a name that a recording of another media server has is taken', async () => {
  const pages = [await cluster.open(one), await cluster.open(two)];
  const [first, second] = pages;
  assert.ok(first && second);
  const streams: string[] = [];
  for (let number = 0; streams.length < 2; number += 1) {
    const stream = `named-${number}`;
    succeeded(await first.publish(stream, { colour: COLOURS.blue }, `p${number}`));
    const holder = await cluster.holderOf(stream);
    if (holder === cluster.media[streams.length]) streams.push(stream);
  }
  const [here = '', there = ''] = streams;
  await startRecording(first, here, 'named');
  await recorded(one.httpUrl, 'named.webm', 500);
  const reply = await second.request('record.start', there, { fileName: 'named' });
  assert.equal(reply.err, ERROR_CODES.name_taken, reply.err_msg);
  succeeded(await second.request('record.stop', here, { fileName: 'named' }));
  for (const page of pages) await page.close();
});

test('a signaling process that would read files elsewhere is refused, and told why', async () => {
  const elsewhere = join(folder, 'elsewhere');
  mkdirSync(elsewhere);
  const stray = await cluster.addSignaling({ MILLRACE_RECORDINGS: elsewhere });
  const page = await cluster.open(stray);
  succeeded(await page.publish('stray', { colour: COLOURS.blue }));
  const reply = await page.request('record.start', 'stray', { fileName: 'stray' });
  assert.equal(reply.err, ERROR_CODES.storage_unavailable);
  assert.match(reply.err_msg, /one place for all machines/);
  assert.equal(await listedRecording(one.httpUrl, 'stray.webm'), undefined);
  await page.close();
  await stray.stop();
});
