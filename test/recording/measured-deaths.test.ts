import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ERROR_CODES } from '../../core/protocol/index.ts';
import { launchBrowser } from '../harness/browser.ts';
import { eventually } from '../harness/condition.ts';
import { openDocumentClient } from '../harness/page.ts';
import { type ServerProcess, startServer } from '../harness/server.ts';
import { succeeded } from '../harness/viewing.ts';
import { drawnCounters, publishCounter } from './harness/counter-publisher.ts';
import { leftovers } from './harness/finished-file.ts';
import { playable } from './harness/playable.ts';
import { type RecorderPart, recorderPids } from './harness/recorder-processes.ts';
import { recordingSettings } from './harness/recording-server.ts';

/** What is lost when processes are killed at any moment, measured from the file: the picture counts frames. */
const FPS = 25;
/** The one that writes first: the others' end would let it make durable what it has. */
const ALL: readonly RecorderPart[] = ['muxer', 'receiver', 'supervisor'];

const browser = await launchBrowser('chromium');
after(() => browser.close());

/** A server that records `camera` into a folder that outlives it. */
async function openRecording(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-measured-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const start = async (): Promise<ServerProcess> => {
    const server = await startServer(recordingSettings(folder, { MILLRACE_RESUME_TIMEOUT: '2s' }));
    t.after(() => server.stop());
    return server;
  };
  const server = await start();
  const page = await openDocumentClient(browser, server.httpUrl);
  t.after(() => page.close());
  await page.connect(`${server.wsUrl}/`);
  succeeded(await publishCounter(page, 'camera', { fps: FPS }));
  // On a machine that does much else three processes may take longer to start than a request may.
  await eventually(
    'the start',
    async () => {
      const reply = await page.request('record.start', 'camera', { fileName: 'camera' });
      if (reply.err !== ERROR_CODES.timed_out) succeeded(reply);
      return reply.err === 0;
    },
    { timeoutMs: 60_000 },
  );
  await recorded(server, 3000);
  return { folder, start, server, page, file: join(folder, 'recordings', 'camera.webm') };
}

interface Listed {
  readonly state: string;
  readonly duration_ms: number;
  readonly durable_ms: number;
}

async function theRecording({ httpUrl }: ServerProcess): Promise<Listed | undefined> {
  const list = await (await fetch(`${httpUrl}/api/v1/recordings`)).json();
  return (list as { recordings: Listed[] }).recordings[0];
}

function recorded(server: ServerProcess, ms: number): Promise<Listed> {
  return eventually(
    `${ms} ms`,
    async () => {
      const recording = await theRecording(server);
      if (recording !== undefined && recording.durable_ms >= ms) return recording;
      throw new Error(JSON.stringify(recording));
    },
    { timeoutMs: 60_000 },
  );
}

/** All at once: they are found before the first is killed. */
function kill(server: ServerProcess, parts: readonly RecorderPart[], signalServer = false): void {
  const pid = server.process.pid ?? 0;
  const found = parts.flatMap((part) => recorderPids(pid, part));
  for (const one of signalServer ? [...found, pid] : found) process.kill(one, 'SIGKILL');
}

/** How long the picture stood still, longest first, each hole told by its end. */
function holes(pictures: readonly { readonly ptsMs: number }[], aboveMs: number): number[] {
  return pictures
    .flatMap(({ ptsMs }, index) => {
      const hole = ptsMs - (pictures[index - 1]?.ptsMs ?? ptsMs);
      return hole > aboveMs ? [Math.round(hole)] : [];
    })
    .sort((one, other) => other - one);
}

const GAPS: readonly {
  readonly parts: readonly RecorderPart[];
  readonly kills: number;
  /** Before the next one: longer where media has to be joined again. */
  readonly recordedMs: number;
  readonly stillMs: number;
}[] = [
  // What the receiver kept makes a muxer's death no gap at all; the promise is 1 s.
  { parts: ['muxer'], kills: 20, recordedMs: 500, stillMs: 1000 },
  // The promise for a whole recorder is 8 s.
  { parts: ['receiver'], kills: 5, recordedMs: 5000, stillMs: 8000 },
  { parts: ['muxer', 'receiver'], kills: 5, recordedMs: 5000, stillMs: 8000 },
  { parts: ALL, kills: 5, recordedMs: 6000, stillMs: 8000 },
];

for (const { parts, kills, recordedMs, stillMs } of GAPS) {
  test(`one recording lives through ${kills} deaths of its ${parts.join(' and ')}, at random moments`, async (t) => {
    const { server, page, file, folder } = await openRecording(t);
    for (let count = 0; count < kills; count += 1) {
      await sleep(Math.random() * 1500);
      const before = await theRecording(server);
      kill(server, parts);
      // It records again; sometimes for a moment only.
      await recorded(server, (before?.durable_ms ?? 0) + recordedMs + Math.random() * 1000);
    }
    succeeded(await page.request('record.stop', 'camera', {}));
    const { outline, measurement } = await playable(file, { drawn: await drawnCounters(page), fps: FPS });
    const still = holes(measurement.pictures, 300);
    t.diagnostic(
      `${outline.durationMs} ms; still for ${still.join(', ') || 'never 300'} ms; ${measurement.framesLost} of ${measurement.pictures.length} pictures missing; sound ${Math.round(measurement.medianOffsetMs)} ms behind, at worst ${Math.round(measurement.worstOffsetMs)}`,
    );
    // The 95th percentile: of twenty, all but the longest.
    const p95Ms = still[Math.floor(kills * 0.05)] ?? 0;
    assert.ok(p95Ms <= stillMs, `the picture stood still for ${still} ms`);
    assert.ok(Math.abs(measurement.medianOffsetMs) <= 40, `${measurement.medianOffsetMs} ms apart`);
    if (parts.length === 1 && parts[0] === 'muxer') {
      // An encoder leaves pictures out by itself when its machine is busy.
      assert.ok(
        measurement.framesLost <= measurement.pictures.length / 20,
        `${measurement.framesLost} missing`,
      );
    }
    assert.deepEqual(leftovers(folder), []);
  });
}

for (let round = 1; round <= 4; round += 1) {
  test(`of a recording whose server and recorder are all killed at a random moment at most 2 s are lost (${round})`, async (t) => {
    const { server, start, page, file, folder } = await openRecording(t);
    await sleep(1000 + Math.random() * 2000);
    const drawn = await drawnCounters(page);
    kill(server, ALL, true);

    const next = await start();
    await eventually('its end', async () => (await theRecording(next))?.state === 'completed', {
      timeoutMs: 60_000,
    });
    const { measurement } = await playable(file, { drawn, fps: FPS });
    const [last, kept] = [drawn.at(-1) ?? 0, measurement.pictures.at(-1)?.counter ?? 0];
    const lostMs = ((last - kept) * 1000) / FPS;
    t.diagnostic(`${lostMs} ms lost, ${measurement.framesLost} pictures missing before`);
    assert.ok(lostMs <= 2000, `${lostMs} ms are lost`);
    assert.deepEqual(leftovers(folder), []);
  });
}
