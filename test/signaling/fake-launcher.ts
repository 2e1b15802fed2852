import { MillraceError } from '../../core/protocol/index.ts';
import type { RecorderLauncher, RecordingRequest } from '../../core/recording/launcher.ts';
import type { RecordingId, RecordingRecord, RecordingState } from '../../core/recording/recording.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';

/** Recordings that begin at once and end with a file of a few bytes; the real ones take a media server. */
export class FakeLauncher implements RecorderLauncher {
  readonly started: RecordingRequest[] = [];
  readonly #objects: ObjectStore;
  readonly #records = new Map<RecordingId, RecordingRecord>();
  readonly #listeners = new Set<(record: RecordingRecord) => void>();

  constructor(objects: ObjectStore) {
    this.#objects = objects;
  }

  async start(request: RecordingRequest): Promise<RecordingRecord> {
    this.started.push(request);
    const running = [...this.#records.values()].find(({ key }) => key === request.key);
    if (running?.stream === request.stream && running.subject === request.subject) return running;
    if (running) throw new MillraceError('name_taken', `"${request.key}" is taken; choose another name`);
    const id = this.started.length.toString(16).padStart(32, '0') as RecordingId;
    return this.#set({
      id,
      stream: request.stream,
      key: request.key,
      subject: request.subject,
      ...(request.origin !== undefined && { origin: request.origin }),
      requestedAtMs: 0,
      limits: {
        maxDurationMs: request.maxDurationMs ?? 1e9,
        maxFileBytes: 1e9,
        maxSpoolBytes: 1e9,
        flushIntervalMs: 1000,
        resumeMs: 60_000,
      },
      sidecar: false,
      host: 'fake',
      attempt: 1,
      progress: progressOf('recording'),
      saidAtMs: Date.now(),
    });
  }

  async stop(ids: readonly RecordingId[]): Promise<readonly RecordingRecord[]> {
    return Promise.all(
      ids.flatMap((id) => {
        const record = this.#records.get(id);
        return record ? [this.#complete(record)] : [];
      }),
    );
  }

  async list({ after, limit, stream }: Parameters<RecorderLauncher['list']>[0]) {
    const newestFirst = [...this.#records.values()].reverse();
    const from = after === undefined ? 0 : newestFirst.findIndex(({ id }) => id === after) + 1;
    return newestFirst
      .slice(from)
      .filter((record) => stream === undefined || record.stream === stream)
      .slice(0, limit);
  }

  async find(id: RecordingId): Promise<RecordingRecord | undefined> {
    return this.#records.get(id);
  }

  onEnded(listener: (record: RecordingRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #complete(record: RecordingRecord): Promise<RecordingRecord> {
    const body = Buffer.from(`the file of ${record.id}`);
    await this.#objects.put(record.key, body, { timeoutMs: 5000 });
    const file = { key: record.key, bytes: body.length, durationMs: 1000 };
    const ended = this.#set({ ...record, progress: { ...progressOf('completed'), files: [file] } });
    for (const listener of this.#listeners) listener(ended);
    return ended;
  }

  #set(record: RecordingRecord): RecordingRecord {
    this.#records.set(record.id, record);
    return record;
  }
}

function progressOf(state: RecordingState): RecordingRecord['progress'] {
  return {
    state,
    startedAtMs: 0,
    durableMs: 1000,
    receivedMs: 1000,
    bytes: 100,
    spoolBytes: 0,
    gaps: { count: 0, totalMs: 0 },
    files: [],
  };
}
