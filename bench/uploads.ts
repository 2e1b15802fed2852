import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FaultProxy } from '../test/harness/fault-proxy.ts';
import type { S3Operation } from '../test/harness/s3-operation.ts';
import { startVersitygw, type Versitygw } from '../test/harness/versitygw.ts';
import { memoryOf } from './measure/memory.ts';
import { pause } from './measure/pause.ts';
import { cpuSeconds } from './measure/process.ts';
import { mediaOf, picturesIn } from './recording-media.ts';
import { STREAM, startRecording, startRecordingServer } from './recording-server.ts';
import type { Bench } from './report.ts';

const RATES_MBPS = [0.2, 1, 4];
const MOST_BYTES_RATIO = 2.2;
const MOST_OWN_MS = 1000;
const SAMPLE_MS = 5000;
const SETTLE_MS = 15_000;

interface Uploaded {
  readonly mbps: number;
  readonly seconds: number;
  readonly fileBytes: number;
  readonly pictures: number;
  readonly uploadedBytes: number;
  /** While it recorded, and what completed it. */
  readonly requests: Readonly<Partial<Record<S3Operation, number>>>;
  readonly completionRequests: Readonly<Partial<Record<S3Operation, number>>>;
  readonly cpuMs: number;
  readonly memory: readonly { readonly pss: number; readonly alone: number }[];
  /** From record.stop to the request that completes the object, and what the store took for that. */
  readonly toCompleteMs: number;
  readonly completeMs: number;
  /** From record.stop to its reply. */
  readonly replyMs: number;
}

/** What a recording sends to S3, beside what its file has, and what is left to do when it is stopped. */
export const uploads: Bench = async ({ short, say }) => {
  const spanMs = short ? 20_000 : 600_000;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  for (const mbps of RATES_MBPS) mediaOf(mbps);
  const store = await startVersitygw();
  try {
    // Each has a server of its own, so that what the proxies count is told apart.
    const all = await Promise.all(
      RATES_MBPS.map((mbps) => upload(store, { mbps, spanMs, folder: join(folder, `${mbps}`) })),
    );
    for (const { mbps, uploadedBytes, fileBytes } of all)
      say(`${mbps} Mbit/s: ${uploadedBytes} bytes for a file of ${fileBytes}`);
    return report(all);
  } finally {
    await store.stop();
    rmSync(folder, { recursive: true, force: true });
  }
};

interface Upload {
  readonly mbps: number;
  readonly spanMs: number;
  readonly folder: string;
}

async function upload(store: Versitygw, { mbps, spanMs, folder }: Upload): Promise<Uploaded> {
  const secret = store.credentials.AWS_SECRET_ACCESS_KEY;
  const proxy = await FaultProxy.start({ port: store.port, secret });
  const recordingServer = await startRecordingServer(
    {
      MILLRACE_RECORDINGS: `s3://recordings/${mbps}?endpoint=${proxy.endpoint}`,
      MILLRACE_RECORDING_SPOOL: join(folder, 'spool'),
    },
    mediaOf(mbps),
  );
  const { session } = recordingServer;
  try {
    const before = { requests: proxy.requests.length, bytes: proxy.bytes.up };
    const startedMs = performance.now();
    await startRecording(session);
    await pause(SETTLE_MS);
    const pids = Object.values(recordingServer.recorder());
    const cpu = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
    const settled = { atMs: performance.now(), cpu: cpu() };
    const memory: { pss: number; alone: number }[] = [];
    while (performance.now() - startedMs < spanMs) {
      memory.push(memoryOf(pids));
      await pause(Math.min(SAMPLE_MS, spanMs - (performance.now() - startedMs)));
    }
    const cpuMs = ((cpu() - settled.cpu) * 1e6) / (performance.now() - settled.atMs);

    const stoppedMs = performance.now();
    const whileRecording = proxy.requests.length;
    await session.request('record.stop', STREAM, {});
    const replyMs = performance.now() - stoppedMs;
    const complete = proxy.requests.findLast(({ operation }) => operation === 'CompleteMultipartUpload');
    if (complete?.endedAtMs === undefined) throw new Error('nothing was completed');
    const file = join(store.folder, String(mbps), 'millrace.webm');
    return {
      ...{ mbps, cpuMs, memory, replyMs },
      seconds: (stoppedMs - startedMs) / 1000,
      fileBytes: statSync(file).size,
      pictures: picturesIn(file),
      uploadedBytes: proxy.bytes.up - before.bytes,
      requests: counted(proxy.requests.slice(before.requests, whileRecording)),
      completionRequests: counted(proxy.requests.slice(whileRecording)),
      toCompleteMs: complete.startedAtMs - stoppedMs,
      completeMs: complete.endedAtMs - complete.startedAtMs,
    };
  } finally {
    await recordingServer.stop();
    await proxy.stop();
  }
}

function counted(requests: readonly { readonly operation: S3Operation }[]): Uploaded['requests'] {
  const counts: Partial<Record<S3Operation, number>> = {};
  for (const { operation } of requests) counts[operation] = (counts[operation] ?? 0) + 1;
  return counts;
}

function report(all: readonly Uploaded[]): Awaited<ReturnType<Bench>> {
  return {
    title: `Three recordings into S3, ${Math.round(all[0]?.seconds ?? 0)} s each`,
    columns: [
      'recording',
      'file, MB',
      'uploaded, MB',
      'to the file',
      'requests an hour',
      'to complete it',
      'CPU, ms a second',
      'PSS, MB',
      'alone, MB',
      'stop to Complete, ms',
      'Complete, ms',
      'stop to reply, ms',
    ],
    rows: all.map((one) => [
      `${one.mbps} Mbit/s`,
      mb(one.fileBytes),
      mb(one.uploadedBytes),
      (one.uploadedBytes / one.fileBytes).toFixed(2),
      String(Math.round((sum(one.requests) * 3600) / one.seconds)),
      String(sum(one.completionRequests)),
      one.cpuMs.toFixed(1),
      mb(Math.max(...one.memory.map(({ pss }) => pss))),
      mb(Math.max(...one.memory.map(({ alone }) => alone))),
      one.toCompleteMs.toFixed(0),
      one.completeMs.toFixed(0),
      one.replyMs.toFixed(0),
    ]),
    verdicts: all.flatMap(({ mbps, uploadedBytes, fileBytes, toCompleteMs }) => [
      {
        what: `${mbps} Mbit/s: bytes uploaded, to those of the file`,
        measured: (uploadedBytes / fileBytes).toFixed(2),
        target: `<= ${MOST_BYTES_RATIO}`,
        met: uploadedBytes / fileBytes <= MOST_BYTES_RATIO,
      },
      {
        what: `${mbps} Mbit/s: from record.stop to the store's own Complete`,
        measured: `${toCompleteMs.toFixed(0)} ms`,
        target: `< ${MOST_OWN_MS} ms`,
        met: toCompleteMs < MOST_OWN_MS,
      },
    ]),
    notes: [
      'all three at the same time, each by a server of its own, into versitygw through a proxy that counts',
      'the first 5 MiB are sent three times, and the rest twice: the shorter a recording, the higher the ratio',
      ...all.map(({ mbps, requests }) => `${mbps} Mbit/s, while it recorded: ${words(requests)}`),
      ...all.map(
        ({ mbps, completionRequests }) => `${mbps} Mbit/s, from record.stop on: ${words(completionRequests)}`,
      ),
    ],
    data: all,
  };
}

function sum(counts: Uploaded['requests']): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function words(counts: Uploaded['requests']): string {
  return Object.entries(counts)
    .map(([operation, count]) => `${count} ${operation}`)
    .join(', ');
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
