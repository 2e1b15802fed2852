import type { RecorderOrders } from '../channel/recorder.ts';
import { hasEnded } from './progress.ts';
import type { RecordingState } from './recording.ts';

/**
 * A recorder that has said nothing for this long is taken for dead: several of its reports are missing then. Time
 * in which home itself did not run is not counted, so a machine that stands still or is slow kills none.
 */
export const SILENT_MS = 2500;
/** The same before its first word: a busy machine starts processes slowly. */
export const FIRST_WORD_MS = 15_000;
/** What a successor gets to have media, before its predecessor is told to go all the same. */
export const RECEIVE_MS = 10_000;
/** What a predecessor gets to flush and go. */
export const HAND_OVER_MS = 5000;
/** Before the next attempt, by how many came to nothing in a row. The last one goes on for ever. */
const BACK_OFF_MS = [0, 250, 1000, 2000, 5000] as const;

/** What is known of a recording that has not ended. Times are of one clock that never goes back. */
export interface RecordingFacts {
  readonly nowMs: number;
  /** The number of the attempt begun last; 0 = none yet. */
  readonly attempt: number;
  /** Somebody asked for its end, or an earlier decision did. */
  readonly stopping: boolean;
  /** Whether somebody holds the stream. */
  readonly streamPresent: boolean;
  /** When media came last; when waiting for it began, where none has come. */
  readonly lastMediaAtMs: number;
  /** How long the publisher may be away. */
  readonly resumeMs: number;
  /** Attempts whose process has not been seen to end. */
  readonly recorders: readonly RecorderFacts[];
  /** When the last of the others ended. */
  readonly endedAtMs?: number;
  /** Attempts in a row that ended without having made anything durable. */
  readonly failures: number;
}

export interface RecorderFacts {
  readonly attempt: number;
  readonly startedAtMs: number;
  /** Its last word; absent = none yet. */
  readonly heardAtMs?: number;
  readonly state: RecordingState;
  readonly leaving: boolean;
  readonly receiving: boolean;
  /** Since when it has been ordered to hand over. */
  readonly handOverSinceMs?: number;
}

export interface RecordingDecision {
  /** From now on the recording is to end; never taken back. */
  readonly stopping: boolean;
  /** It has ended so, as its last attempt said. Nothing else is to be done then. */
  readonly ended?: 'completed' | 'failed';
  /** What each recorder is to do. */
  readonly orders: readonly RecorderTask[];
  /** Recorders that are to be killed, their children with them; they are counted as gone. */
  readonly kill: readonly number[];
  /** The next attempt is to begin. */
  readonly launch?: Omit<RecorderTask, 'attempt'>;
  /** When to decide again if nothing happens before. */
  readonly againAtMs: number;
}

/** A recorder's orders, as far as they are decided here. */
export type RecorderTask = { readonly attempt: number } & Pick<
  RecorderOrders,
  'todo' | 'waitForPredecessor' | 'handOver'
>;

/**
 * The next step of a recording, from all that is known of it:
 * - it ends when it is asked to, or when its stream has been without holder and media for the resume time;
 * - it has one recorder while somebody publishes, and one to complete the file at its end;
 * - a recorder that died or is silent has a successor at once, then ever later while attempts come to nothing;
 * - one that must leave goes on until its successor has media.
 */
export function decide(facts: RecordingFacts): RecordingDecision {
  const { nowMs } = facts;
  const current = facts.recorders.find(({ attempt }) => attempt === facts.attempt);
  const stopping = facts.stopping || current?.state === 'finishing' || isAbandoned(facts);
  const none = { stopping, orders: [], kill: [], againAtMs: Number.POSITIVE_INFINITY };
  if (current !== undefined && hasEnded(current)) {
    return { ...none, ended: current.state === 'completed' ? 'completed' : 'failed' };
  }

  const kill = facts.recorders.filter((recorder) => nowMs >= patienceEndsAtMs(recorder));
  const alive = facts.recorders.filter((recorder) => !kill.includes(recorder));
  const launch = nextAttempt(facts, alive, stopping);
  const due = launch !== undefined && nowMs >= launch.atMs;
  const orders = alive.map((recorder) => taskOf(recorder, facts, alive, stopping));
  return {
    stopping,
    orders,
    kill: kill.map(({ attempt }) => attempt),
    ...(due && { launch: launch.task }),
    againAtMs: Math.min(
      ...alive.map(patienceEndsAtMs),
      ...alive.map(({ startedAtMs }) => startedAtMs + RECEIVE_MS).filter((atMs) => atMs > nowMs),
      ...(launch !== undefined && !due ? [launch.atMs] : []),
      ...(stopping || facts.streamPresent ? [] : [abandonedAtMs(facts)]),
    ),
  };
}

/** @param failures attempts in a row that came to nothing */
export function backOffMs(failures: number): number {
  return BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length - 1)] ?? 0;
}

function isAbandoned(facts: RecordingFacts): boolean {
  return !facts.streamPresent && facts.nowMs >= abandonedAtMs(facts);
}

function abandonedAtMs({ lastMediaAtMs, resumeMs }: RecordingFacts): number {
  return lastMediaAtMs + resumeMs;
}

/** When it is to be killed if it says nothing, or does not go, by then. */
function patienceEndsAtMs({ heardAtMs, startedAtMs, handOverSinceMs }: RecorderFacts): number {
  const wordAtMs = heardAtMs === undefined ? startedAtMs + FIRST_WORD_MS : heardAtMs + SILENT_MS;
  return Math.min(wordAtMs, (handOverSinceMs ?? Number.POSITIVE_INFINITY) + HAND_OVER_MS);
}

function nextAttempt(
  facts: RecordingFacts,
  alive: readonly RecorderFacts[],
  stopping: boolean,
): { readonly task: Omit<RecorderTask, 'attempt'>; readonly atMs: number } | undefined {
  const current = alive.find(({ attempt }) => attempt === facts.attempt);
  if (current !== undefined && !current.leaving) return undefined;
  // Nothing is there to be received; what has been is durable once those that leave have gone.
  if (!stopping && !facts.streamPresent) return undefined;
  // One that completes the file needs no overlap.
  if (stopping && alive.length > 0) return undefined;
  const handOver = false;
  const waitForPredecessor = alive.length > 0;
  const task = { todo: stopping ? 'stop' : 'record', waitForPredecessor, handOver } as const;
  const lastAtMs = facts.endedAtMs;
  return { task, atMs: lastAtMs === undefined ? facts.nowMs : lastAtMs + backOffMs(facts.failures) };
}

function taskOf(
  recorder: RecorderFacts,
  facts: RecordingFacts,
  alive: readonly RecorderFacts[],
  stopping: boolean,
): RecorderTask {
  const { attempt } = recorder;
  const others = alive.filter((other) => other !== recorder);
  if (attempt === facts.attempt) {
    const goes = recorder.leaving && (stopping || !facts.streamPresent);
    return {
      attempt,
      todo: stopping && !goes ? 'stop' : 'record',
      waitForPredecessor: others.length > 0,
      handOver: goes,
    };
  }
  const successor = alive.find((other) => other.attempt === facts.attempt);
  if (!recorder.leaving) return { attempt, todo: 'superseded', waitForPredecessor: false, handOver: false };
  const handOver =
    recorder.handOverSinceMs !== undefined ||
    stopping ||
    !facts.streamPresent ||
    (successor !== undefined && (successor.receiving || facts.nowMs >= successor.startedAtMs + RECEIVE_MS));
  return { attempt, todo: 'record', waitForPredecessor: false, handOver };
}
