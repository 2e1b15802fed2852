import { type EventData, type EventMethod, encodeEvent, type StreamName } from '../core/protocol/index.ts';

/** An event before it is addressed to a session. */
export type StreamEvent = {
  [M in EventMethod]: {
    readonly method: M;
    readonly stream: M extends 'session.expiring' ? '' : StreamName;
    readonly data: EventData<M>;
  };
}[EventMethod];

export function eventText(event: StreamEvent, session: string): string {
  return encodeEvent({ ...event, session });
}
