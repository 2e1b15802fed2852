import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../harness/condition.ts';
import { succeeded } from '../harness/viewing.ts';
import { type CounterOptions, drawnCounters, publishCounter } from './harness/counter-publisher.ts';
import { playable } from './harness/playable.ts';
import { startRecordingServer } from './harness/recording-server.ts';

// Firefox' sound stutters on a busy machine without it.
process.env.PULSE_LATENCY_MSEC ??= '200';
const { fixture, fileOf } = await startRecordingServer();

interface Case {
  readonly browser: 'chromium' | 'firefox';
  readonly codecId: string;
  readonly options: CounterOptions;
}

const LARGE = { width: 640, height: 360 };
const CASES: Readonly<Record<string, Case>> = {
  'VP8 of Chromium': { browser: 'chromium', codecId: 'V_VP8', options: { codec: 'VP8' } },
  'VP8 of Firefox': { browser: 'firefox', codecId: 'V_VP8', options: { codec: 'VP8' } },
  'VP8 in simulcast': {
    browser: 'chromium',
    codecId: 'V_VP8',
    options: { codec: 'VP8', simulcast: true, ...LARGE },
  },
  'VP9 of Chromium': { browser: 'chromium', codecId: 'V_VP9', options: { codec: 'VP9' } },
  'VP9 of Firefox': { browser: 'firefox', codecId: 'V_VP9', options: { codec: 'VP9' } },
  'VP9 in spatial layers': {
    browser: 'chromium',
    codecId: 'V_VP9',
    options: { codec: 'VP9', scalabilityMode: 'L3T3_KEY', ...LARGE },
  },
  'AV1 of Chromium': { browser: 'chromium', codecId: 'V_AV1', options: { codec: 'AV1' } },
  'AV1 in layers': {
    browser: 'chromium',
    codecId: 'V_AV1',
    options: { codec: 'AV1', scalabilityMode: 'L2T2', ...LARGE },
  },
};
const RECORDED_MS = 8000;

for (const [name, { browser, codecId, options }] of Object.entries(CASES)) {
  test(`${name} is recorded into a file that plays and seeks in Chromium and Firefox`, async () => {
    const publisher = await fixture.open(browser);
    succeeded(await publishCounter(publisher, name, options));
    const fileName = `${name.replaceAll(' ', '-')}.webm`;
    succeeded(await publisher.request('record.start', name, { fileName }));
    await eventually(`${RECORDED_MS} ms`, async () => {
      const list = await (await fetch(`${fixture.server.httpUrl}/api/v1/recordings`)).json();
      const { recordings } = list as { recordings: { fileName: string; durable_ms: number }[] };
      return recordings.some((one) => one.fileName === fileName && one.durable_ms >= RECORDED_MS);
    });
    succeeded(await publisher.request('record.stop', name, {}));
    const drawn = await drawnCounters(publisher);
    await publisher.close();
    const browsers = [await fixture.browser('chromium'), await fixture.browser('firefox')];
    const { outline, measurement } = await playable(fileOf(fileName), { browsers, drawn });
    assert.deepEqual(outline.tracks.map((track) => track.codecId).sort(), ['A_OPUS', codecId]);
    const { pictures, framesLost, unreadable, beeps, medianOffsetMs } = measurement;
    assert.ok(pictures.length > 100, `${pictures.length} pictures`);
    assert.ok(beeps.length >= 6, `${beeps.length} beeps`);
    // An encoder leaves pictures out by itself, when its machine is busy.
    assert.ok(framesLost <= pictures.length / 10, `${framesLost} of ${pictures.length} are missing`);
    if (browser === 'chromium') {
      assert.ok(Math.abs(medianOffsetMs) <= 40, `the sound is ${medianOffsetMs} ms behind the picture`);
    }
    assert.ok(unreadable <= pictures.length / 20, `${unreadable} cannot be read`);
  });
}
