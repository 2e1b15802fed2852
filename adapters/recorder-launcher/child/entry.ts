import { setTimeout as sleep } from 'node:timers/promises';
import { toMillraceError } from '../../../core/protocol/error.ts';
import type { RecordingRecord, RecordingSpec } from '../../../core/recording/recording.ts';
import type { Registry } from '../../../core/registry/registry.ts';

/** Between tries to reach the registry. */
export const REGISTRY_RETRY_MS = 500;

/**
 * Begins the next attempt of a recording that this host has.
 *
 * @param stored the highest attempt that storage tells of
 * @returns undefined when another host has it, or it has ended
 * @throws MillraceError `registry_unavailable`
 */
export async function takeNext(
  registry: Registry,
  host: string,
  record: RecordingRecord,
  stored: number,
): Promise<RecordingRecord | undefined> {
  const take = { id: record.id, host, seen: record.attempt, stored };
  const taken = await registry.takeRecording(take);
  if (taken !== undefined || !(await isOwn(registry, host, record))) return taken;
  return registry.takeRecording(take);
}

/**
 * Whether the registry says that this host has the recording, with the attempt that it began last. A registry
 * that has lost everything is told again.
 *
 * @throws MillraceError `registry_unavailable`
 */
export async function isOwn(registry: Registry, host: string, record: RecordingRecord): Promise<boolean> {
  const known = await registry.findRecording(record.id);
  if (known !== undefined) return known.host === host && known.attempt === record.attempt;
  return registry.reannounceRecording(record);
}

/** The registry hears how it ended, however long it is away. @param forgotten instead of that, it forgets it */
export async function conclude(
  registry: Registry,
  { id, attempt, progress }: RecordingRecord,
  forgotten: boolean,
): Promise<void> {
  for (;;) {
    try {
      if (forgotten) await registry.forgetRecording(id, attempt);
      else await registry.saveRecording(id, attempt, progress);
      return;
    } catch (error) {
      if (toMillraceError(error).errorName !== 'registry_unavailable') throw error;
      await sleep(REGISTRY_RETRY_MS, undefined, { ref: false });
    }
  }
}

export function specOf({
  host: _,
  attempt: __,
  progress: ___,
  saidAtMs: ____,
  ...spec
}: RecordingRecord): RecordingSpec {
  return spec;
}
