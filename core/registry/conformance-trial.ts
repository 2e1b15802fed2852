import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Track } from '../channel/media.ts';
import { MillraceError } from '../protocol/error.ts';
import type { SessionId } from '../protocol/session-id.ts';
import { parseStreamName } from '../protocol/stream-name.ts';
import { NO_PROGRESS } from '../recording/progress.ts';
import type { RecordingId, RecordingKey, RecordingRecord, RecordingSpec } from '../recording/recording.ts';
import type { NodeId, NodeRecord, SessionRecord, StreamRecord } from './record.ts';
import type { Registry, StreamChange, StreamClaim } from './registry.ts';

/** An empty registry for one test. */
export interface RegistryTrial {
  readonly registry: Registry;
  /** The same registry as another process reaches it; `registry` itself where one process has it alone. */
  readonly peer: Registry;
  /** Lets the registry's time pass. Absent where time cannot be moved: the suite waits then. */
  readonly advance?: (ms: number) => void;
  /** Frees what the trial took. */
  stop(): Promise<void>;
}

export type MakeRegistry = () => Promise<RegistryTrial>;
export type Open = (context: TestContext) => Promise<RegistryTrial & { until: Until }>;

/** Resolves when the condition holds, while the registry's time passes. */
export type Until = (condition: () => boolean | Promise<boolean>) => Promise<void>;

const DEADLINE_MS = 10_000;
const STEP_MS = 20;

export async function openTrial(context: TestContext, makeRegistry: MakeRegistry) {
  const trial = await makeRegistry();
  context.after(async () => {
    await trial.registry.close();
    await trial.peer.close();
    await trial.stop();
  });
  const until: Until = async (condition) => {
    for (let passedMs = 0; passedMs < DEADLINE_MS; passedMs += STEP_MS) {
      if (await condition()) return;
      if (trial.advance === undefined) await sleep(STEP_MS);
      else await turn();
      trial.advance?.(STEP_MS);
    }
    assert.fail(`still not so after ${DEADLINE_MS} ms: ${condition}`);
  };
  return { ...trial, until };
}

export const turn = () => new Promise((resolve) => setImmediate(resolve));

export const name = parseStreamName;
export const nodeId = (id: string) => id as NodeId;
export const sessionId = (id: string) => id as SessionId;
export const recordingId = (id: string) => id as RecordingId;

export const VIDEO: Track = { kind: 'video', codec: 'VP8', encodings: 3 };
export const AUDIO: Track = { kind: 'audio', codec: 'opus', encodings: 1 };

export function node(id: string, more: Partial<NodeRecord> = {}): NodeRecord {
  return {
    id: nodeId(id),
    address: `${id}:7000`,
    version: '0.1.0',
    state: 'ready',
    load: 0.25,
    streams: 3,
    viewers: 7,
    ...more,
  };
}

export function claim(stream: string, node: string, more: Partial<StreamClaim> = {}): StreamClaim {
  return {
    name: name(stream),
    node: nodeId(node),
    session: sessionId(`session of ${stream}`),
    subject: 'ann',
    ...more,
  };
}

export function session(id: string, more: Partial<SessionRecord> = {}): SessionRecord {
  return {
    id: sessionId(id),
    subject: 'ann',
    livesBy: 'socket',
    signaling: 'signaling-1',
    epoch: 0,
    connected: true,
    events: false,
    holds: [{ stream: name('lobby'), role: 'publish', node: nodeId('a') }],
    ...more,
  };
}

export function recording(id: string, more: Partial<RecordingSpec> = {}): RecordingSpec {
  return {
    id: recordingId(id),
    stream: name('lobby'),
    key: `${id}.webm` as RecordingKey,
    subject: 'ann',
    requestedAtMs: 1_700_000_000_000,
    limits: {
      maxDurationMs: 3_600_000,
      maxFileBytes: 1e9,
      maxSpoolBytes: 1e8,
      flushIntervalMs: 1000,
      resumeMs: 60_000,
    },
    sidecar: false,
    ...more,
  };
}

/** The record that a host would announce again. */
export function running(id: string, attempt: number, more: Partial<RecordingRecord> = {}): RecordingRecord {
  const progress = { ...NO_PROGRESS, state: 'recording', durableMs: 4000, bytes: 12_345 } as const;
  return { ...recording(id), host: 'host-1', attempt, progress, saidAtMs: 1_600_000_000_000, ...more };
}

/** Announces the nodes and claims the stream. @returns its epoch */
export async function claimed(registry: Registry, request: StreamClaim): Promise<number> {
  assert.equal(await registry.announceNode(node(request.node)), true);
  const result = await registry.claimStream(request);
  assert.ok(result.granted, `"${request.name}" is held by ${JSON.stringify(result)}`);
  return result.epoch;
}

/** The record that a holder would announce again. */
export function held(stream: string, node: string, epoch: number): StreamRecord {
  const { displaces: _, ...request } = claim(stream, node);
  return { ...request, epoch, tracks: [VIDEO], sinceMs: 1_700_000_000_000 };
}

/** What a watch was told: type and epoch of each change. */
export function collect(registry: Registry, stream: string) {
  const changes: StreamChange[] = [];
  const stop = registry.watchStream(name(stream), (change) => changes.push(change));
  return {
    changes,
    stop,
    told: () =>
      changes.map(
        (change) => `${change.type} ${change.type === 'released' ? change.epoch : change.stream.epoch}`,
      ),
  };
}

export function named(errorName: string) {
  return (error: unknown) => error instanceof MillraceError && error.errorName === errorName;
}
