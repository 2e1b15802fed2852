import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { Registry as MetricsRegistry } from 'prom-client';
import type { Track } from '../../../../core/channel/media.ts';
import { MillraceError } from '../../../../core/protocol/error.ts';
import type { RecordingRequest } from '../../../../core/recording/launcher.ts';
import type { RecordingId, RecordingKey, RecordingRecord } from '../../../../core/recording/recording.ts';
import type { RecordingStorage, UnfinishedRecording } from '../../../../core/recording/storage.ts';
import { AUDIO, claim, name, node, VIDEO } from '../../../../core/registry/conformance-trial.ts';
import type { Registry } from '../../../../core/registry/registry.ts';
import { ChannelServer } from '../../../channel/websocket/server.ts';
import { RECORDER_SERVICES, signChannelToken } from '../../../channel/websocket/token.ts';
import { createMemoryRegistry } from '../../../registry/memory/memory.ts';
import { ChildLauncher } from '../launcher.ts';

const DEADLINE_MS = 30_000;
const SECRET = Buffer.from('a secret of the channel with enough bytes');

/** What a fake recorder wrote down. */
export interface Noted {
  readonly attempt: number;
  readonly pid: number;
  readonly what: string;
}

export interface HomeOptions {
  readonly way?: string;
  readonly maxRecordings?: number;
  readonly resumeMs?: number;
  readonly unfinished?: readonly UnfinishedRecording[];
  readonly registry?: Registry;
}

/** A home with a launcher, over a real channel and recorders that only talk. */
export async function openHome(t: TestContext, options: HomeOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-home-'));
  const file = join(folder, 'noted');
  writeFileSync(file, '');
  const registry = options.registry ?? createMemoryRegistry();
  const metrics = new MetricsRegistry();
  const storage = new FakeStorage(options.unfinished ?? []);
  const secrets = () => [SECRET] as const;
  const server = new ChannelServer({
    listen: { host: '127.0.0.1', port: 0 },
    secrets,
    maxCallsInFlight: 100,
    onError: (error) => {
      throw error;
    },
  });
  await server.listen();
  const environment: Record<string, string | undefined> = {
    ...process.env,
    FAKE_LOG: file,
    FAKE_WAY: options.way,
  };
  const clock = { aheadMs: 0 };
  const launcher = new ChildLauncher(
    {
      host: 'host-1',
      maxRecordings: options.maxRecordings ?? 8,
      limits: {
        maxDurationMs: 3_600_000,
        maxFileBytes: 1e9,
        maxSpoolBytes: 1e9,
        flushIntervalMs: 1000,
        resumeMs: options.resumeMs ?? 60_000,
      },
      sidecar: false,
    },
    {
      registry,
      storage,
      address: `ws://127.0.0.1:${server.port}`,
      program: {
        command: [process.execPath, join(import.meta.dirname, 'fake-recorder.ts')],
        environment,
      },
      token: ({ id: recording, stream }) =>
        signChannelToken(
          secrets,
          { services: RECORDER_SERVICES, recording, stream, ttlMs: 60_000 },
          Date.now(),
        ),
      log: pino({ level: 'silent' }),
      metrics,
      now: () => performance.now() + clock.aheadMs,
      wallClock: Date.now,
    },
  );
  server.serve('recorder', launcher.serve);
  launcher.open();
  const ended: RecordingRecord[] = [];
  launcher.onEnded((record) => ended.push(record));
  t.after(async () => {
    await launcher.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const noted = (): Noted[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Noted]));
  return {
    registry,
    storage,
    launcher,
    /** The value of a metric's sample, by its name with labels. */
    metric: async (sample: string) =>
      Number(
        (await metrics.metrics())
          .split('\n')
          .find((line) => line.startsWith(`${sample} `))
          ?.split(' ')[1],
      ),
    environment,
    /** Of the launcher, beside others. */
    clock,
    ended,
    noted,
    told: () => noted().map(({ attempt, what }) => `${attempt} ${what}`),
    pidOf: (attempt: number) => noted().find((one) => one.attempt === attempt)?.pid ?? 0,
    start: (more: Partial<RecordingRequest> = {}) => launcher.start({ ...REQUEST, ...more }),
  };
}

export const REQUEST: RecordingRequest = {
  stream: name('lobby'),
  key: 'a.webm' as RecordingKey,
  subject: 'ann',
  timeoutMs: 30_000,
};

/** @returns the epoch of its claim */
export async function publish(
  registry: Registry,
  stream = 'lobby',
  tracks: readonly Track[] = [AUDIO, VIDEO],
): Promise<number> {
  await registry.announceNode(node('a'));
  const result = await registry.claimStream(claim(stream, 'a'));
  if (!result.granted) throw new Error(`"${stream}" is held`);
  if (tracks.length > 0) await registry.describeStream(name(stream), result.epoch, tracks);
  return result.epoch;
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const endMs = performance.now() + DEADLINE_MS; performance.now() < endMs; ) {
    if (await condition()) return;
    await sleep(10);
  }
  throw new Error(`still not so after ${DEADLINE_MS} ms: ${condition}`);
}

export class FakeStorage implements RecordingStorage {
  readonly reserved = new Map<RecordingKey, RecordingId>();
  found: readonly UnfinishedRecording[];
  refuses: MillraceError | undefined;

  constructor(found: readonly UnfinishedRecording[]) {
    this.found = found;
  }

  async reserve({ id, key }: { id: RecordingId; key: RecordingKey }): Promise<void> {
    if (this.refuses !== undefined) throw this.refuses;
    if (this.reserved.has(key)) throw new MillraceError('name_taken', `"${key}" is taken`);
    this.reserved.set(key, id);
  }

  async discard({ id, key }: { id: RecordingId; key: RecordingKey }): Promise<void> {
    if (this.reserved.get(key) === id) this.reserved.delete(key);
  }

  async unfinished(): Promise<readonly UnfinishedRecording[]> {
    return this.found;
  }
}
