import { displaced, rolledOver } from '../../core/recording/file-name.ts';
import type {
  RecordingEpoch,
  RecordingFile,
  RecordingKey,
  RecordingSpec,
} from '../../core/recording/recording.ts';
import { stateOfKey } from '../store/reservation.ts';
import { listAll, type Storage } from '../store/storage.ts';
import { durationIn } from './description.ts';

/**
 * The files of a recording that say themselves that they are complete, from one on. Whoever completed them may
 * have died behind its last step: then nothing else in storage tells of them.
 *
 * @param from number of the first file, from 0
 */
export async function completedFiles(
  storage: Storage,
  spec: RecordingSpec,
  from = 0,
): Promise<readonly RecordingFile[]> {
  const files: RecordingFile[] = [];
  for (let file = from; ; file++) {
    const completed = await completedFile(storage, spec, file);
    if (!completed) return files;
    files.push(completed);
  }
}

/** @param file from 0 */
export async function completedFile(
  storage: Storage,
  { id, key }: RecordingSpec,
  file: number,
): Promise<RecordingFile | undefined> {
  const own = rolledOver(key, file + 1);
  const state = await stateOfKey(storage, id, own);
  if (state.kind === 'complete') return fileAt(own, state.info);
  // Where the name is somebody else's, it had to take another. Nobody holds a free one: there is no such file.
  if (state.kind !== 'foreign') return undefined;
  for (const other of await displacedNames(storage, own)) {
    const elsewhere = await stateOfKey(storage, id, other);
    if (elsewhere.kind === 'complete') return fileAt(other, elsewhere.info);
  }
  return undefined;
}

async function displacedNames(storage: Storage, own: RecordingKey): Promise<readonly RecordingKey[]> {
  const [before = '', after = ''] = displaced(own, 0 as RecordingEpoch).split(/0(?=\.[^.]*$)/);
  const listed = await listAll(storage, before);
  return listed.flatMap(({ key }) => {
    const epoch = Number(key.slice(before.length, -after.length));
    const name = Number.isSafeInteger(epoch) ? displaced(own, epoch) : undefined;
    return name === key ? [name] : [];
  });
}

function fileAt(
  key: RecordingKey,
  info: { readonly bytes: number; readonly metadata: Readonly<Record<string, string>> },
): RecordingFile {
  return { key, bytes: info.bytes, durationMs: durationIn(info.metadata) ?? 0 };
}
