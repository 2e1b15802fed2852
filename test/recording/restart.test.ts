import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { launchBrowser } from '../harness/browser.ts';
import { eventually } from '../harness/condition.ts';
import { type DocumentClientPage, openDocumentClient } from '../harness/page.ts';
import { type ServerProcess, startServer } from '../harness/server.ts';
import { COLOURS, succeeded } from '../harness/viewing.ts';
import { leftovers, readFinished } from './harness/finished-file.ts';
import { isAlive, recorderPids } from './harness/recorder-processes.ts';
import { listedRecording, recorded, recordingSettings, startRecording } from './harness/recording-server.ts';

const browser = await launchBrowser('chromium');
after(() => browser.close());

/** A folder that outlives the servers of a test. */
function openFolder(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-restart-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const start = async (): Promise<ServerProcess> => {
    const server = await startServer(recordingSettings(folder, { MILLRACE_RESUME_TIMEOUT: '10s' }));
    t.after(() => server.stop());
    return server;
  };
  return { folder, start, file: join(folder, 'recordings', 'camera.webm') };
}

async function publish(t: TestContext, server: ServerProcess): Promise<DocumentClientPage> {
  const page = await openDocumentClient(browser, server.httpUrl);
  t.after(() => page.close());
  await page.connect(`${server.wsUrl}/`);
  succeeded(await page.publish('camera', { colour: COLOURS.blue }));
  return page;
}

/** Ends the server, and says how its recorders end. */
const ENDS: readonly {
  readonly what: string;
  readonly end: (server: ServerProcess) => Promise<unknown>;
}[] = [
  { what: 'is told to go', end: (server) => server.stop() },
  {
    what: 'is killed',
    end: async (server) => server.process.kill('SIGKILL'),
  },
  {
    what: 'is killed with its recorders',
    end: async ({ process: { pid = 0 } }) => {
      const parts = (['supervisor', 'muxer', 'receiver'] as const).flatMap((part) => recorderPids(pid, part));
      for (const one of [pid, ...parts]) process.kill(one, 'SIGKILL');
    },
  },
];

for (const { what, end } of ENDS) {
  test(`a recording goes on in one file when the server ${what} and its publisher comes back`, async (t) => {
    const { folder, start, file } = openFolder(t);
    const first = await start();
    const page = await publish(t, first);
    await startRecording(page, 'camera', 'camera');
    const before = await recorded(first.httpUrl, 'camera.webm', 3000);
    const parts = (['supervisor', 'muxer', 'receiver'] as const).flatMap((part) =>
      recorderPids(first.process.pid ?? 0, part),
    );
    assert.equal(parts.length, 3);
    await end(first);
    await eventually('the end of its recorders', () => !parts.some(isAlive), { timeoutMs: 30_000 });

    const second = await start();
    const again = await publish(t, second);
    await recorded(second.httpUrl, 'camera.webm', before.durable_ms + 4000);
    // It was begun by record.start, which storage knows: no name is needed.
    const stopped = await again.request('record.stop', 'camera', {});
    succeeded(stopped);
    const finished = await readFinished(file);
    assert.equal(finished.warnings, '');
    assert.ok(finished.durationMs > before.durable_ms + 4000, `${finished.durationMs} ms`);
    assert.deepEqual(leftovers(folder), []);
  });
}

test('a recording is completed by the next server from storage alone when nobody comes back', async (t) => {
  const { folder, start, file } = openFolder(t);
  const first = await start();
  await startRecording(await publish(t, first), 'camera', 'camera');
  const before = await recorded(first.httpUrl, 'camera.webm', 3000);
  const pid = first.process.pid ?? 0;
  for (const part of ['supervisor', 'muxer', 'receiver'] as const) {
    for (const one of recorderPids(pid, part)) process.kill(one, 'SIGKILL');
  }
  first.process.kill('SIGKILL');

  const second = await start();
  await eventually(
    'its end',
    async () => (await listedRecording(second.httpUrl, 'camera.webm'))?.state === 'completed',
    { timeoutMs: 60_000 },
  );
  const finished = await readFinished(file);
  assert.equal(finished.warnings, '');
  assert.ok(finished.durationMs >= before.durable_ms, `${finished.durationMs} of ${before.durable_ms} ms`);
  assert.deepEqual(leftovers(folder), []);
});
