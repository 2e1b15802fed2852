import { createHash } from 'node:crypto';
import type { EventData } from '../protocol/index.ts';

/** What an application is told by webhooks; docs/webhooks.md explains it. */
export type WebhookNews =
  | {
      readonly type: 'stream.started';
      readonly data: StreamFacts & { readonly tracks: readonly { kind: string; codec: string }[] };
    }
  | { readonly type: 'stream.ended'; readonly data: StreamFacts & { readonly reason: string } }
  | {
      readonly type: 'recording.started';
      readonly data: {
        readonly recording: string;
        readonly stream: string;
        readonly subject: string;
        readonly fileName: string;
        readonly started_at: string;
      };
    }
  | {
      readonly type: 'recording.ended';
      readonly data: EventData<'record.ended'> & { readonly stream: string; readonly subject: string };
    };

interface StreamFacts {
  readonly stream: string;
  /** Grows with each publisher of the name: one that started later ended later. */
  readonly epoch: number;
  /** Public id, as the log and /api/v1 show it. */
  readonly session: string;
  readonly subject: string;
}

export type WebhookEvent = WebhookNews & {
  /** The same for whoever tells the same: a receiver that keeps ids passes over what comes twice. */
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
};

/** Takes what is to be told; never throws, and never waits. */
export interface WebhookSink {
  tell(event: WebhookEvent): void;
}

/** @param nowMs Unix time */
export function webhookEvent(news: WebhookNews, nowMs: number): WebhookEvent {
  const { type, data } = news;
  const what = 'recording' in data ? data.recording : `${data.epoch} ${data.stream}`;
  const id = createHash('sha256').update(`${type} ${what}`).digest('hex').slice(0, 32);
  return { id, at: new Date(nowMs).toISOString(), ...news };
}
