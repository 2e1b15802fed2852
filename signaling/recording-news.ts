import type { EventData, SessionId, StreamName } from '../core/protocol/index.ts';
import type { RecordingId, RecordingRecord } from '../core/recording/recording.ts';
import type { StreamEvent } from './events.ts';
import type { Session } from './session.ts';
import type { SessionStore } from './session-store.ts';
import type { StreamDirectory } from './stream-directory.ts';

/** Of recordings that run; far above what may run at once. */
const MAX_BEGUN = 10_000;

interface Begun {
  readonly stream: StreamName;
  readonly session: SessionId;
  /** Its client gave the file no name. */
  readonly unnamed: boolean;
}

/** Which session began which recording, and who is told how it ended. */
export class RecordingNews {
  readonly #sessions: SessionStore;
  readonly #streams: StreamDirectory;
  /** Where files are, for people. */
  readonly #location: string;
  readonly #begun = new Map<RecordingId, Begun>();

  constructor(options: { sessions: SessionStore; streams: StreamDirectory; location: string }) {
    this.#sessions = options.sessions;
    this.#streams = options.streams;
    this.#location = options.location;
  }

  began(id: RecordingId, session: Session, stream: StreamName, unnamed: boolean): void {
    // Begun again, it is still the one whose name the server chose.
    const known = this.#begun.get(id);
    this.#begun.set(id, { stream, session: session.id, unnamed: known?.unnamed ?? unnamed });
    if (this.#begun.size <= MAX_BEGUN) return;
    const [oldest] = this.#begun.keys();
    if (oldest !== undefined) this.#begun.delete(oldest);
  }

  isBy(id: RecordingId, session: Session): boolean {
    return this.#begun.get(id)?.session === session.id;
  }

  /** What the session began for the stream without a name for the file. */
  unnamed(session: Session, stream: StreamName): RecordingId | undefined {
    for (const [id, begun] of this.#begun) {
      if (begun.unnamed && begun.session === session.id && begun.stream === stream) return id;
    }
    return undefined;
  }

  /** Tells the session that began it, and the stream's publisher. */
  async ended(record: RecordingRecord): Promise<void> {
    const starter = this.#begun.get(record.id)?.session;
    this.#begun.delete(record.id);
    const publisher = (await this.#streams.find(record.stream).catch(() => undefined))?.session;
    const event: StreamEvent = {
      method: 'record.ended',
      stream: record.stream,
      data: endedData(record, this.#location),
    };
    for (const id of new Set([starter, publisher])) {
      if (id !== undefined) this.#sessions.get(id)?.tell(event);
    }
  }
}

export function endedData(
  { id, key, progress }: RecordingRecord,
  location: string,
): EventData<'record.ended'> {
  const { files, state, bytes, receivedMs, gaps, message } = progress;
  const base = location.endsWith('/') ? location : `${location}/`;
  return {
    recording: id,
    fileName: files[0]?.key ?? key,
    outcome: state === 'completed' ? 'completed' : 'failed',
    ...(message !== undefined && state !== 'completed' && { message }),
    duration_ms: Math.round(receivedMs),
    bytes,
    gaps: { count: gaps.count, total_ms: Math.round(gaps.totalMs) },
    files: files.map((file) => ({
      fileName: file.key,
      location: `${base}${file.key}`,
      duration_ms: Math.round(file.durationMs),
      bytes: file.bytes,
    })),
  };
}
