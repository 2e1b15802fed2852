import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { toMillraceError } from '../../../core/protocol/error.ts';
import type { RecordingRecord, RecordingSpec } from '../../../core/recording/recording.ts';
import type { Registry } from '../../../core/registry/registry.ts';
import { within } from './deadline.ts';

/** Between tries to reach the registry. */
export const REGISTRY_RETRY_MS = 500;
/** What the registry gets to hear of an end before those who wait for it. */
const TELL_AFTER_MS = 1000;

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

/**
 * The registry hears how it ended, however long it is away; never rejects.
 *
 * @param told called when it has heard, since who is told asks it next; or after a second of waiting
 */
export async function conclude(
  registry: Registry,
  { id, attempt, progress }: RecordingRecord,
  log: Logger,
  told: () => void,
): Promise<void> {
  const saved = persist(() => registry.saveRecording(id, attempt, progress), id, log);
  await within(TELL_AFTER_MS, saved, () => new Error('the registry is slow')).catch(() => {});
  told();
  await saved;
}

/** The registry forgets it, however long it is away; never rejects. */
export async function forget(
  registry: Registry,
  { id, attempt }: RecordingRecord,
  log: Logger,
): Promise<void> {
  await persist(() => registry.forgetRecording(id, attempt), id, log);
}

async function persist(call: () => Promise<unknown>, recording: string, log: Logger): Promise<void> {
  for (;;) {
    try {
      await call();
      return;
    } catch (error) {
      if (toMillraceError(error).errorName !== 'registry_unavailable') {
        log.error({ recording, err: error }, 'the registry does not take how a recording ended');
        return;
      }
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
