import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { Fixture } from '../../harness/fixture.ts';

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
