import type { Track } from '../core/channel/media.ts';
import { publicSessionId, type SessionId, type StreamName } from '../core/protocol/index.ts';
import type { RecordingRecord } from '../core/recording/recording.ts';
import { type WebhookNews as News, type WebhookSink, webhookEvent } from '../core/webhook/index.ts';
import { endedData } from './recording-news.ts';

/** Streams whose end is awaited; far above what one process has. */
const MAX_LIVE = 20_000;

interface Publisher {
  readonly id: SessionId;
  readonly subject: string;
}

/** What an application is told by webhooks of streams and recordings. */
export class WebhookNews {
  readonly #sink: WebhookSink | undefined;
  readonly #location: string;
  /** Publications that began here, by epoch and stream: their session may be gone when they end. */
  readonly #live = new Map<string, Publisher>();

  /** @param options.location where files are, for people */
  constructor(options: { sink: WebhookSink | undefined; location: string }) {
    this.#sink = options.sink;
    this.#location = options.location;
  }

  streamStarted(
    stream: StreamName,
    epoch: number,
    { id, subject }: Publisher,
    tracks: readonly Track[],
  ): void {
    if (this.#sink === undefined) return;
    this.#live.set(`${epoch} ${stream}`, { id, subject });
    const [oldest] = this.#live.keys();
    if (this.#live.size > MAX_LIVE && oldest !== undefined) this.#live.delete(oldest);
    const data = { stream, epoch, session: publicSessionId(id), subject };
    const shown = tracks.map(({ kind, codec }) => ({ kind, codec }));
    this.#tell({ type: 'stream.started', data: { ...data, tracks: shown } });
  }

  /** @param holder the session that publishes it here, where that is known still */
  streamEnded(stream: StreamName, epoch: number, reason: string, holder: Publisher | undefined): void {
    const key = `${epoch} ${stream}`;
    const publisher = holder ?? this.#live.get(key);
    this.#live.delete(key);
    if (publisher === undefined) return;
    const { id, subject } = publisher;
    this.#tell({
      type: 'stream.ended',
      data: { stream, epoch, session: publicSessionId(id), subject, reason },
    });
  }

  recordingStarted({ id, stream, subject, key, progress, requestedAtMs }: RecordingRecord): void {
    const startedAt = new Date(progress.startedAtMs ?? requestedAtMs).toISOString();
    this.#tell({
      type: 'recording.started',
      data: { recording: id, stream, subject, fileName: key, started_at: startedAt },
    });
  }

  recordingEnded(record: RecordingRecord): void {
    const { stream, subject } = record;
    this.#tell({
      type: 'recording.ended',
      data: { stream, subject, ...endedData(record, this.#location) },
    });
  }

  #tell(news: News): void {
    this.#sink?.tell(webhookEvent(news, Date.now()));
  }
}
