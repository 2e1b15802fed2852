import { randomBytes } from 'node:crypto';
import type { RecordingRequest } from '../../../core/recording/launcher.ts';
import type { RecordingLimits, RecordingSpec } from '../../../core/recording/recording.ts';
import { newRecordingId } from '../../../core/recording/recording-id.ts';

/** A recording that is asked for, within the limits of its host. @param store where it will be, see `RecordingSpec` */
export function newSpec(
  { stream, key, subject, origin, maxDurationMs }: RecordingRequest,
  { limits, sidecar }: { readonly limits: RecordingLimits; readonly sidecar: boolean },
  { store, nowMs }: { readonly store: string | undefined; readonly nowMs: number },
): RecordingSpec {
  return {
    id: newRecordingId(randomBytes),
    stream,
    key,
    subject,
    ...(origin !== undefined && { origin }),
    ...(store !== undefined && { store }),
    requestedAtMs: nowMs,
    limits: { ...limits, maxDurationMs: Math.min(limits.maxDurationMs, maxDurationMs ?? Infinity) },
    sidecar,
  };
}
