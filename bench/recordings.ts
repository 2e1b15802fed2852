import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Memory, memoryOf } from './measure/memory.ts';
import { pause } from './measure/pause.ts';
import { cpuSeconds } from './measure/process.ts';
import { median, trend } from './measure/statistics.ts';
import { FRAMES_PER_SECOND, mediaOf, picturesIn } from './recording-media.ts';
import { PeerFeed } from './recording-peers.ts';
import { type RecorderProcess, STREAM, startRecording, startRecordingServer } from './recording-server.ts';
import type { Bench, Verdict } from './report.ts';

const RATES_MBPS = [0.2, 1, 4];
/** From the beginning until compilers and caches have settled. */
const SETTLE_MS = 15_000;
const SAMPLE_MS = 5000;
const MOST_CPU = 0.5;
const MOST_BYTES = 100e6;
/** Of the pictures that were sent while it recorded; fewer, and it did not do the work. */
const LEAST_RECORDED = 0.98;

interface Sample extends Memory {
  readonly seconds: number;
}

interface Recorded {
  readonly contestant: string;
  readonly mbps: number;
  readonly seconds: number;
  /** CPU time a second of all its processes. */
  readonly cpuMs: number;
  /** Of each. */
  readonly parts: Readonly<Record<string, number>>;
  readonly memory: readonly Sample[];
}

interface Contestant {
  readonly name: string;
  readonly pids: Readonly<Record<string, number>>;
  readonly file: string;
  readonly stop: () => Promise<unknown>;
}

/** CPU time and memory of one recording, beside others that record the same stream at the same time. */
export const recordings: Bench = async ({ short, say }) => {
  const rates = short ? RATES_MBPS : [...RATES_MBPS, ...RATES_MBPS.toReversed()];
  const runs = rates.map((mbps) => ({ mbps, spanMs: short ? 20_000 : 30_000 }));
  // The longest goes last: is memory flat?
  if (!short) runs.push({ mbps: 4, spanMs: 600_000 });
  const all: Recorded[] = [];
  for (const { mbps, spanMs } of runs) {
    const recorded = await record(mbps, spanMs);
    all.push(...recorded);
    const words = recorded.map(
      ({ contestant, cpuMs, memory }) =>
        `${contestant} ${cpuMs.toFixed(2)} ms/s, ${mb(memory.at(-1)?.pss)} MB`,
    );
    say(`${mbps} Mbit/s for ${spanMs / 1000} s: ${words.join('; ')}`);
  }
  return { title: 'One recording into a folder, and what it costs', ...judge(all), data: all };
};

async function record(mbps: number, spanMs: number): Promise<Recorded[]> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const recordingServer = await startRecordingServer(
    { MILLRACE_RECORDINGS: join(folder, 'recordings'), MILLRACE_RECORDING_SPOOL: join(folder, 'spool') },
    mediaOf(mbps),
  );
  const { session, access } = recordingServer;
  const feed = await PeerFeed.open(access, STREAM);
  try {
    const peers = [
      await feed.ffmpeg(join(folder, 'ffmpeg.webm')),
      await feed.gstreamer(join(folder, 'gstreamer.webm')),
    ];
    await startRecording(session);
    const contestants: readonly Contestant[] = [
      {
        name: 'Millrace',
        pids: recordingServer.recorder(),
        file: join(folder, 'recordings', 'millrace.webm'),
        stop: () => session.request('record.stop', STREAM, {}),
      },
      ...peers.map(({ name, pid, file, stop }) => ({ name, pids: { [name]: pid }, file, stop })),
    ];
    await pause(SETTLE_MS);
    const recorded = await measure(contestants, mbps, spanMs);
    for (const { name, file, stop } of contestants) {
      await stop();
      const pictures = picturesIn(file) / ((spanMs / 1000) * FRAMES_PER_SECOND);
      if (pictures < LEAST_RECORDED)
        throw new Error(`${name} has ${(pictures * 100).toFixed(0)} % of the pictures`);
    }
    return recorded;
  } finally {
    await feed.close();
    await recordingServer.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  contestants: readonly Contestant[],
  mbps: number,
  spanMs: number,
): Promise<Recorded[]> {
  const startedMs = performance.now();
  const cpu = () =>
    contestants.map(({ pids }) =>
      Object.entries(pids).map(([part, pid]) => [part, cpuSeconds(pid)] as const),
    );
  const before = cpu();
  const memory: Sample[][] = contestants.map(() => []);
  for (;;) {
    const seconds = (performance.now() - startedMs) / 1000;
    for (const [index, { pids }] of contestants.entries())
      memory[index]?.push({ seconds, ...memoryOf(Object.values(pids)) });
    const leftMs = spanMs - (performance.now() - startedMs);
    if (leftMs <= 0) break;
    await pause(Math.min(leftMs, SAMPLE_MS));
  }
  const after = cpu();
  const seconds = (performance.now() - startedMs) / 1000;
  return contestants.map(({ name }, index) => {
    const parts = (after[index] ?? []).map(([part, total], at) => {
      const [, earlier = 0] = before[index]?.[at] ?? [];
      return [part, ((total - earlier) * 1000) / seconds] as const;
    });
    return {
      ...{ contestant: name, mbps, seconds },
      cpuMs: parts.reduce((sum, [, ms]) => sum + ms, 0),
      parts: Object.fromEntries(parts),
      memory: memory[index] ?? [],
    };
  });
}

function judge(all: readonly Recorded[]) {
  const rows: string[][] = [];
  const verdicts: Verdict[] = [];
  const names = [...new Set(all.map(({ contestant }) => contestant))];
  for (const mbps of RATES_MBPS.filter((rate) => all.some((one) => one.mbps === rate))) {
    const of = (name: string) => all.filter((one) => one.mbps === mbps && one.contestant === name);
    const cpuMs = (name: string) => median(of(name).map((one) => one.cpuMs));
    const better = Math.min(...names.filter((name) => name !== 'Millrace').map(cpuMs));
    const most = (name: string, what: keyof Memory) =>
      Math.max(...of(name).flatMap(({ memory }) => memory.map((sample) => sample[what])));
    const part = (name: RecorderProcess) =>
      median(of('Millrace').map(({ parts }) => parts[name] ?? 0)).toFixed(2);
    for (const name of names) {
      rows.push([
        `${mbps} Mbit/s: ${name}`,
        cpuMs(name).toFixed(2),
        (cpuMs(name) / better).toFixed(2),
        ...(['pss', 'alone', 'rss'] as const).map((what) => mb(most(name, what))),
        ...(name === 'Millrace'
          ? [part('worker'), part('receiver'), part('muxer'), part('supervisor')]
          : ['', '', '', '']),
      ]);
    }
    verdicts.push({
      what: `${mbps} Mbit/s: CPU time, to the better of the others`,
      measured: (cpuMs('Millrace') / better).toFixed(2),
      target: `< ${MOST_CPU}`,
      met: cpuMs('Millrace') / better < MOST_CPU,
    });
    verdicts.push({
      what: `${mbps} Mbit/s: most memory (PSS)`,
      measured: `${mb(most('Millrace', 'pss'))} MB`,
      target: '< 100 MB',
      met: most('Millrace', 'pss') < MOST_BYTES,
    });
  }
  return {
    columns: [
      'recording',
      'CPU, ms a second',
      'to the better peer',
      'PSS, MB',
      'alone, MB',
      'RSS, MB',
      ...(['worker', 'receiver', 'muxer', 'supervisor'] satisfies readonly RecorderProcess[]),
    ],
    rows,
    verdicts,
    notes: [
      'all record the same stream at the same time; of the others only their own process counts, and not what brings them the RTP; of Millrace the worker, receiver, muxer and supervisor',
      'memory is the most that was seen; alone: what is shared counts once, and nothing is shared with other programs',
      ...growth(all),
    ],
  };
}

/** How memory grew in the longest run of each, which begins when the first seconds are over. */
function growth(all: readonly Recorded[]): string[] {
  const longest = Math.max(...all.map(({ seconds }) => seconds));
  return all
    .filter(({ seconds }) => seconds > longest * 0.99)
    .map(({ contestant, mbps, seconds, memory }) => {
      // V8 takes what it wants of the heap first.
      const later = memory.filter((sample) => sample.seconds > seconds / 3);
      const { slope, standardError } = trend(later.map(({ seconds: x, alone: y }) => ({ x, y })));
      return `${contestant}, ${mbps} Mbit/s, ${Math.round(seconds)} s: ${mb(memory[0]?.alone)} MB at first, ${mb(later[0]?.alone)} after a third, ${mb(later.at(-1)?.alone)} at the end; from then on ${(slope * 60e-3).toFixed(1)} ± ${(standardError * 60e-3).toFixed(1)} kB a minute`;
    });
}

function mb(bytes: number | undefined): string {
  return ((bytes ?? Number.NaN) / 1e6).toFixed(1);
}
