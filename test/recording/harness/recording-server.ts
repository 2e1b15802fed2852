import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { ERROR_CODES } from '../../../core/protocol/index.ts';
import { eventually } from '../../harness/condition.ts';
import { Fixture } from '../../harness/fixture.ts';
import type { DocumentClientPage, ReplyMessage } from '../../harness/page.ts';
import { succeeded } from '../../harness/viewing.ts';

/** A server that records into a folder of its own, which goes when the tests of the file are done. */
export async function startRecordingServer(settings: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-record-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const fixture = await Fixture.start(recordingSettings(folder, settings));
  return { fixture, folder, fileOf: (name: string) => join(folder, 'recordings', name) };
}

export function recordingSettings(
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  return {
    MILLRACE_WORKERS: '1',
    MILLRACE_RECORDINGS: join(folder, 'recordings'),
    MILLRACE_RECORDING_SPOOL: join(folder, 'spool'),
    ...settings,
  };
}

/**
 * Sends `record.start` until it succeeds: on a machine that does much else three processes may take longer to
 * start than a request may.
 */
export async function startRecording(
  page: DocumentClientPage,
  stream: string,
  fileName: string,
): Promise<ReplyMessage> {
  return eventually(
    `the recording ${fileName}`,
    async () => {
      const reply = await page.request('record.start', stream, { fileName });
      if (reply.err === ERROR_CODES.timed_out) return undefined;
      succeeded(reply);
      return reply;
    },
    { timeoutMs: 60_000 },
  );
}

/** As /api/v1 lists it. */
export interface ListedRecording {
  readonly id: string;
  readonly fileName: string;
  readonly state: string;
  readonly attempt: number;
  readonly started_at: string | null;
  readonly duration_ms: number;
  readonly durable_ms: number;
}

export async function listedRecording(
  httpUrl: string,
  fileName: string,
): Promise<ListedRecording | undefined> {
  const list = await (await fetch(`${httpUrl}/api/v1/recordings`)).json();
  return (list as { recordings: ListedRecording[] }).recordings.find((one) => one.fileName === fileName);
}

/** Resolves when the recording is durable up to `ms`. */
export function recorded(httpUrl: string, fileName: string, ms: number): Promise<ListedRecording> {
  return eventually(
    `${ms} ms of ${fileName}`,
    async () => {
      const recording = await listedRecording(httpUrl, fileName);
      if (recording !== undefined && recording.durable_ms >= ms) return recording;
      throw new Error(JSON.stringify(recording));
    },
    { timeoutMs: 60_000 },
  );
}
