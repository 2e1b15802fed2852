import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Browser } from 'puppeteer-core';
import { launchBrowser } from '../harness/browser.ts';
import { measure } from './harness/measure.ts';
import { playable } from './harness/playable.ts';
import { writeSyntheticFile } from './harness/synthetic-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-playable-'));
after(() => rmSync(folder, { recursive: true }));
const whole = join(folder, 'whole.webm');
await writeSyntheticFile(whole, { seconds: 12, fps: 25, encoder: 'libvpx', bitrate: '200k' });
const browsers: Browser[] = await Promise.all([launchBrowser('chromium'), launchBrowser('firefox')]);
after(() => Promise.all(browsers.map((browser) => browser.close())));

describe('A file that is called playable', () => {
  test('plays to its end and seeks, in Chromium and Firefox', async () => {
    const { played } = await playable(whole, { browsers, durationMs: 12_000 });
    assert.equal(played.length, 2);
    for (const { seeks } of played) assert.equal(seeks.length, 4);
  });

  test('is not one that was cut off', async () => {
    const file = readFileSync(whole);
    await assert.rejects(playable(spoiled(file.subarray(0, file.length - 1000))), /behind its parent's end/);
  });

  test('is not one without cues', async () => {
    const file = readFileSync(whole);
    const at = file.lastIndexOf(Buffer.of(0x1c, 0x53, 0xbb, 0x6b));
    const renamed = Buffer.concat([file.subarray(0, at), Buffer.of(0xec, 0x40), file.subarray(at + 2)]);
    await assert.rejects(playable(spoiled(renamed)));
  });

  test('is not one with a damaged picture, which ffmpeg warns of', async () => {
    const file = readFileSync(whole);
    const key = file.indexOf(Buffer.of(0x9d, 0x01, 0x2a));
    file[key] = 0;
    await assert.rejects(playable(spoiled(file)), /warnings of ffmpeg|ffmpeg ended/);
  });

  test('is not one of another length than it should have', async () => {
    await assert.rejects(playable(whole, { durationMs: 11_000 }), /it lasts/);
  });

  function spoiled(file: Uint8Array): string {
    const path = join(folder, 'spoiled.webm');
    writeFileSync(path, file);
    return path;
  }
});

test('What counter-source.js shows and plays is what the reader reads', async () => {
  const page = await browsers[0]?.newPage();
  assert.ok(page);
  await page.evaluate(readFileSync(new URL('./harness/counter-source.js', import.meta.url), 'utf8'));
  const text = await page.evaluate(`(async () => {
      const source = await counterSource.start();
      const type = ['video/webm;codecs=vp8,opus', 'video/webm'].find((type) => MediaRecorder.isTypeSupported(type));
      const recorder = new MediaRecorder(source.stream, { mimeType: type, videoBitsPerSecond: 200_000 });
      const chunks = [];
      recorder.ondataavailable = ({ data }) => chunks.push(data);
      const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
      recorder.start();
      await new Promise((resolve) => setTimeout(resolve, 8000));
      recorder.stop();
      await stopped;
      source.stop();
      const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
      let text = '';
      for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
      return btoa(text);
    })()`);
  await page.close();
  const file = join(folder, 'recorded.webm');
  writeFileSync(file, Buffer.from(String(text), 'base64'));
  const { pictures, unreadable, beeps, medianOffsetMs } = await measure(file);
  assert.ok(pictures.length > 150, `${pictures.length} pictures`);
  assert.ok(unreadable <= pictures.length / 50, `${unreadable} cannot be read`);
  assert.ok(beeps.length >= 6, `${beeps.length} beeps`);
  // MediaRecorder has a delay of its own, which grows on a busy machine.
  assert.ok(Math.abs(medianOffsetMs) < 100, `offset ${medianOffsetMs} ms`);
});
