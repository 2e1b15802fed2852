import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { Frame } from '../../recorder/frame.ts';
import { parseCapture, readCapture } from '../../recorder/rtp/harness/capture.ts';
import { jitter, lose } from '../../recorder/rtp/harness/network.ts';
import { seededRandom } from '../../recorder/rtp/harness/random.ts';
import { readTrack } from '../../recorder/rtp/harness/reading.ts';
import { decodePictures } from './harness/decode.ts';
import { encodeIvf } from './harness/ivf.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-rtp-'));
after(() => rmSync(folder, { recursive: true }));
const run = promisify(execFile);
let files = 0;

/** Decoders that are not all of one make; of VP9 with layers they are to show the same. */
const CAPTURES: Readonly<Record<string, readonly string[]>> = {
  vp8: ['vp8', 'libvpx'],
  'vp8-firefox': ['vp8'],
  'vp8-temporal': ['vp8'],
  'vp8-simulcast': ['vp8', 'libvpx'],
  vp9: ['vp9', 'libvpx-vp9'],
  'vp9-firefox': ['vp9'],
  'vp9-temporal': ['vp9'],
  'vp9-spatial': ['vp9', 'libvpx-vp9'],
  'vp9-spatial-key': ['vp9', 'libvpx-vp9'],
  av1: ['libdav1d'],
  'av1-layers': ['libdav1d'],
};
const LOSSES = [0.01, 0.05, 0.2];

for (const [name, decoders] of Object.entries(CAPTURES)) {
  describe(`Frames out of ${name}`, () => {
    const capture = readCapture(name);
    const { track } = capture;
    const packets = parseCapture(capture);
    const [decoder = ''] = decoders;

    test('are pictures that ffmpeg decodes without a warning, each once and in order', async () => {
      const { frames } = readTrack(track, packets);
      for (const each of decoders) {
        const { items, warnings } = await decodePictures(write(track.codec, frames), each);
        assert.deepEqual(warnings, []);
        assert.equal(items.length, frames.length, each);
        const counters = items.flatMap(({ counter }) => (counter === undefined ? [] : [counter]));
        assert.ok(counters.length >= frames.length * 0.95, `${counters.length} can be read`);
        for (const [index, counter] of counters.entries()) {
          assert.ok(index === 0 || counter > (counters[index - 1] ?? 0), `${each} shows ${counters}`);
        }
      }
    });

    test('that are left after losses decode to the same pictures as without, whatever encoding they are of', async () => {
      const whole = new Map<string, string | undefined>();
      for (const ssrc of track.ssrcs) {
        const { frames } = readTrack({ ...track, ssrcs: [ssrc] }, packets);
        const seen = await digests(write(track.codec, frames), decoder);
        assert.equal(seen.length, frames.length);
        for (const [index, frame] of frames.entries()) whole.set(idOf(frame), seen[index]);
      }
      for (const [seed, ratio] of LOSSES.entries()) {
        const random = seededRandom(seed + 1);
        const { frames } = readTrack(track, jitter(lose(packets, ratio, random), 200, random));
        const file = write(track.codec, frames);
        assert.deepEqual((await decodePictures(file, decoder)).warnings, []);
        const seen = await digests(file, decoder);
        assert.equal(seen.length, frames.length);
        for (const [index, frame] of frames.entries()) {
          assert.equal(
            seen[index],
            whole.get(idOf(frame)),
            `picture ${index} is another behind a loss of ${ratio}`,
          );
        }
      }
    });
  });
}

/** Encodings of simulcast have clocks of their own: here each frame lasts as long as any other. */
function write(codec: string, frames: readonly Frame[]): string {
  files += 1;
  const path = join(folder, `${files}.ivf`);
  writeFileSync(path, encodeIvf(codec, frames));
  return path;
}

function idOf({ ssrc, rtpTimestamp }: Frame): string {
  return `${ssrc} ${rtpTimestamp % 2 ** 32}`;
}

/** What a decoder makes of each picture. */
async function digests(file: string, decoder: string): Promise<string[]> {
  const { stdout } = await run('ffmpeg', [
    ...['-v', 'error', '-nostdin', '-c:v', decoder, '-copyts', '-i', file],
    ...['-vf', 'scale=320:180:flags=neighbor', '-fps_mode', 'passthrough', '-enc_time_base', '-1'],
    ...['-f', 'framemd5', '-'],
  ]);
  const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => line.slice(line.lastIndexOf(',') + 1).trim());
}
