import type { RecordingFile, RecordingProgress } from '../../core/recording/recording.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { gapsIn, startedAtIn } from './description.ts';

const HEAD_TIMEOUT_MS = 5000;

/**
 * What finished files say of themselves: whoever completed them may know nothing but where they are. What
 * storage does not tell, or not in time, is left out.
 */
export async function describedFiles(
  objects: ObjectStore,
  files: readonly RecordingFile[],
): Promise<Partial<Pick<RecordingProgress, 'startedAtMs' | 'gaps'>>> {
  const metadata = await Promise.all(
    files.map(async ({ key }) => {
      const info = await objects.head(key, { timeoutMs: HEAD_TIMEOUT_MS }).catch(() => undefined);
      return info?.metadata ?? {};
    }),
  );
  const startedAtMs = startedAtIn(metadata[0] ?? {});
  const gaps = metadata.flatMap((one) => gapsIn(one) ?? []);
  return {
    ...(startedAtMs !== undefined && { startedAtMs }),
    ...(gaps.length === files.length && {
      gaps: {
        count: gaps.reduce((sum, { count }) => sum + count, 0),
        totalMs: gaps.reduce((sum, { totalMs }) => sum + totalMs, 0),
      },
    }),
  };
}
