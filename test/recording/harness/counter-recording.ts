import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { ERROR_CODES } from '../../../core/protocol/index.ts';
import { eventually } from '../../harness/condition.ts';
import type { Fixture } from '../../harness/fixture.ts';
import type { DocumentClientPage } from '../../harness/page.ts';
import { succeeded } from '../../harness/viewing.ts';
import { type CounterOptions, publishCounter } from './counter-publisher.ts';

export interface ListedRecording {
  readonly fileName: string;
  readonly state: string;
  readonly duration_ms: number;
  readonly durable_ms: number;
  readonly gaps: { readonly count: number; readonly total_ms: number };
}

/** @param name of a recording, as the server lists it @throws AssertionError when there is none */
export async function listedRecording({ server }: Fixture, name: string): Promise<ListedRecording> {
  const list = await (await fetch(`${server.httpUrl}/api/v1/recordings`)).json();
  const found = (list as { recordings: ListedRecording[] }).recordings.find(
    ({ fileName }) => fileName === `${name}.webm`,
  );
  assert.ok(found, `no recording ${name}`);
  return found;
}

/** Resolves when the recording is durable up to `ms`. */
export function recordedUntil(fixture: Fixture, name: string, ms: number): Promise<ListedRecording> {
  return eventually(
    `${ms} ms of ${name}`,
    async () => {
      const recording = await listedRecording(fixture, name);
      if (recording.durable_ms >= ms) return recording;
      throw new Error(JSON.stringify(recording));
    },
    { timeoutMs: 60_000 },
  );
}

/** Resolves when the recording is longer by so much than it is now. */
export async function recordedOn(fixture: Fixture, name: string, ms: number): Promise<ListedRecording> {
  return recordedUntil(fixture, name, (await listedRecording(fixture, name)).duration_ms + ms);
}

/** Publishes counter-source.js as `name` and records it under that name, 3 s already. */
export async function recordCounter(
  t: TestContext,
  fixture: Fixture,
  name: string,
  options: CounterOptions = {},
): Promise<DocumentClientPage> {
  const publisher = await fixture.open('chromium');
  t.after(() => publisher.page.isClosed() || publisher.close());
  succeeded(await publishCounter(publisher, name, options));
  // On a machine that does much else three processes may take longer to start than a request may.
  await eventually(
    'the start',
    async () => {
      const reply = await publisher.request('record.start', name, { fileName: name });
      if (reply.err !== ERROR_CODES.timed_out) succeeded(reply);
      return reply.err === 0;
    },
    { timeoutMs: 60_000 },
  );
  await recordedUntil(fixture, name, 3000);
  return publisher;
}
