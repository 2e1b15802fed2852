import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { openFolder } from '../adapters/storage/folder/folder.ts';
import { openS3 } from '../adapters/storage/s3/s3.ts';
import { parseStreamName } from '../core/protocol/stream-name.ts';
import { parseFileName } from '../core/recording/file-name.ts';
import type { RecordingSpec } from '../core/recording/recording.ts';
import { parseRecordingId } from '../core/recording/recording-id.ts';
import type { ObjectStore } from '../core/storage/object-store.ts';
import { FileWriter, NEW_FILE } from '../recorder/muxer/file-writer.ts';
import { openStore } from '../recorder/store/open-store.ts';
import type { RecordingStore } from '../recorder/store/store.ts';
import type { TimedBlock, TimelineState } from '../recorder/timeline/index.ts';
import { BUCKET, startVersitygw } from '../test/harness/versitygw.ts';
import { pause } from './measure/pause.ts';
import { median } from './measure/statistics.ts';
import { FRAMES_PER_SECOND, mediaOf, picturesIn } from './recording-media.ts';
import type { Bench } from './report.ts';

const MBPS = 1;
const MOST_OWN_MS = 1000;
const FINISH = { timeoutMs: 120_000 };
/** Fed far faster than a camera does; this much may wait for the store. */
const MAX_WAITING_BYTES = 64 * 2 ** 20;
const QUIET_MS = 500;
const SIZE = { width: 640, height: 360 };

interface Completion {
  readonly storage: string;
  readonly minutes: number;
  readonly fileBytes: number;
  /** All between the last frame and the object, less what the store's own Complete took. */
  readonly ownMs: number;
  readonly completeMs: number;
  /** Until nothing is left of what it was made from; the object is there before. */
  readonly cleanUpMs: number;
}

interface Place {
  readonly name: string;
  readonly objects: ObjectStore;
  readonly folder: string;
}

/** From the last frame to a whole object, of recordings of different lengths. */
export const completion: Bench = async ({ short, say }) => {
  const home = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const versitygw = await startVersitygw();
  const folder = join(home, 'folder');
  const places: readonly Place[] = [
    { name: 'folder', objects: openFolder(folder), folder },
    {
      name: 'versitygw',
      objects: openS3({
        bucket: BUCKET,
        prefix: '',
        endpoint: versitygw.endpoint,
        region: 'us-east-1',
        pathStyle: true,
      }),
      folder: versitygw.folder,
    },
  ];
  const lengths = short ? [1, 5] : [10, 120];
  const rounds = short ? 1 : 3;
  const frames = readFrames(mediaOf(MBPS).video);
  const all: Completion[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const place of places) {
        for (const minutes of lengths) {
          const one = await complete(place, home, frames, minutes);
          all.push(one);
          say(
            `round ${round} of ${rounds}, ${place.name}, ${minutes} min: own ${one.ownMs.toFixed(0)} ms, Complete ${one.completeMs.toFixed(0)} ms`,
          );
        }
      }
    }
  } finally {
    for (const { objects } of places) objects.close();
    await versitygw.stop();
    rmSync(home, { recursive: true, force: true });
  }
  return report(all, places, lengths);
};

async function complete(
  { name, objects, folder }: Place,
  home: string,
  frames: readonly Uint8Array[],
  minutes: number,
): Promise<Completion> {
  const { timed, idle, completeMs } = timing(objects);
  const spec = specOf(minutes);
  const store = await openStore({
    ...{ objects: timed, spec, epoch: 1 },
    spoolDirectory: join(home, 'spool'),
    log: pino({ level: 'error' }),
  });
  await feed(store, frames, minutes, idle);
  const startedMs = performance.now();
  const { file, settled } = await store.finish(FINISH);
  const playableMs = performance.now() - startedMs;
  await settled;
  const settledMs = performance.now() - startedMs;
  if (!file) throw new Error('there is no file');
  const path = join(folder, file.key);
  const pictures = picturesIn(path);
  if (pictures !== minutes * 60 * FRAMES_PER_SECOND) throw new Error(`${path} has ${pictures} pictures`);
  rmSync(path);
  return {
    ...{ storage: name, minutes, fileBytes: file.bytes },
    ownMs: playableMs - completeMs(),
    completeMs: completeMs(),
    cleanUpMs: settledMs - playableMs,
  };
}

/** What a muxer does in that time: a chunk of whole clusters a second. */
async function feed(
  store: RecordingStore,
  frames: readonly Uint8Array[],
  minutes: number,
  idle: () => Promise<void>,
): Promise<void> {
  const writer = new FileWriter(NEW_FILE);
  // The store keeps it and hands it on; what is in it only a successor reads.
  const timeline = { startedAtMs: Date.now() } as TimelineState;
  const last = minutes * 60;
  for (let second = 0; second < last; second++) {
    for (let n = second * FRAMES_PER_SECOND; n < (second + 1) * FRAMES_PER_SECOND; n++) {
      writer.add(blockOf(frames[n % frames.length] ?? new Uint8Array(), (n * 1000) / FRAMES_PER_SECOND));
    }
    // As in life, everything but the last second is in storage when a recording is stopped, all full parts too.
    if (second === last - 1) await idle();
    while (store.progress().spoolBytes > MAX_WAITING_BYTES) await pause(5);
    const chunk = writer.chunk(timeline, (second + 1) * 1000, []);
    if (!chunk) throw new Error('a second without a picture');
    const giveUpMs = performance.now() + FINISH.timeoutMs;
    while (!store.append(chunk)) {
      if (performance.now() > giveUpMs) throw new Error('the store takes nothing');
      await pause(5);
    }
  }
}

function blockOf(data: Uint8Array, timeMs: number): TimedBlock {
  // RFC 6386 section 9.1: the lowest bit of a key frame is 0.
  const keyFrame = ((data[0] ?? 1) & 1) === 0;
  return {
    kind: 'video',
    codec: 'VP8',
    timeMs: Math.round(timeMs),
    keyFrame,
    data,
    size: SIZE,
    atMs: timeMs,
  };
}

/** Frames of an IVF file: a head of 32 bytes, then each behind 12 bytes that begin with its length. */
function readFrames(path: string): readonly Uint8Array[] {
  const file = readFileSync(path);
  const frames: Uint8Array[] = [];
  for (let at = file.readUInt16LE(6); at < file.length; ) {
    const end = at + 12 + file.readUInt32LE(at);
    frames.push(file.subarray(at + 12, end));
    at = end;
  }
  return frames;
}

interface Timing {
  readonly timed: ObjectStore;
  /** Resolves when nothing has been asked of it for a while. */
  readonly idle: () => Promise<void>;
  readonly completeMs: () => number;
}

function timing(objects: ObjectStore): Timing {
  const calls = { underWay: 0, lastAtMs: 0, completeMs: 0 };
  const timed = new Proxy(objects, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]) => {
        const startedMs = performance.now();
        const result: unknown = value.apply(target, args);
        if (!(result instanceof Promise)) return result;
        calls.underWay++;
        return result.finally(() => {
          calls.underWay--;
          calls.lastAtMs = performance.now();
          if (name === 'completeUpload') calls.completeMs += calls.lastAtMs - startedMs;
        });
      };
    },
  });
  return {
    timed,
    async idle() {
      while (calls.underWay > 0 || performance.now() - calls.lastAtMs < QUIET_MS) await pause(QUIET_MS / 10);
    },
    completeMs: () => calls.completeMs,
  };
}

let lastId = 0;

function specOf(minutes: number): RecordingSpec {
  const id = ++lastId;
  return {
    id: parseRecordingId(id.toString(16).padStart(32, '0')),
    stream: parseStreamName('fed'),
    key: parseFileName(`fed-${id}-${minutes}-min`),
    subject: '',
    requestedAtMs: Date.now(),
    limits: {
      maxDurationMs: 86_400_000,
      maxFileBytes: 2 ** 40,
      maxSpoolBytes: 2 * MAX_WAITING_BYTES,
      flushIntervalMs: 1000,
      resumeMs: 60_000,
    },
    sidecar: false,
  };
}

function report(all: readonly Completion[], places: readonly Place[], lengths: readonly number[]) {
  const cases = places.flatMap(({ name }) =>
    lengths.map((minutes) => {
      const of = all.filter((one) => one.storage === name && one.minutes === minutes);
      const mid = (what: 'ownMs' | 'completeMs' | 'cleanUpMs' | 'fileBytes') =>
        median(of.map((one) => one[what]));
      return { what: `${name}, ${minutes} min`, most: Math.max(...of.map(({ ownMs }) => ownMs)), mid };
    }),
  );
  return {
    title: 'From the last frame to a whole object',
    columns: [
      'recording of 1 Mbit/s',
      'file, MB',
      'own part, ms',
      'at most',
      'Complete, ms',
      'clean-up after it, ms',
    ],
    rows: cases.map(({ what, most, mid }) => [
      what,
      (mid('fileBytes') / 1e6).toFixed(0),
      mid('ownMs').toFixed(0),
      most.toFixed(0),
      mid('completeMs').toFixed(0),
      mid('cleanUpMs').toFixed(0),
    ]),
    verdicts: cases.map(({ what, most }) => ({
      what: `${what}: own part`,
      measured: `${most.toFixed(0)} ms`,
      target: `< ${MOST_OWN_MS} ms`,
      met: most < MOST_OWN_MS,
    })),
    notes: [
      'the store is fed real clusters as fast as it takes them, and not in the time that a camera needs; when it is stopped, the last second is on its way',
      'ffprobe counts the pictures of every file',
    ],
    data: all,
  };
}
