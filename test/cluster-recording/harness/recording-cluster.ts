import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { Cluster, type MediaRole, type SignalingRole } from '../../cluster-processes/harness/cluster.ts';
import { eventually } from '../../harness/condition.ts';
import type { DocumentClientPage, ReplyMessage } from '../../harness/page.ts';
import { succeeded } from '../../harness/viewing.ts';
import { type CounterOptions, publishCounter } from '../../recording/harness/counter-publisher.ts';
import { recorded, startRecording } from '../../recording/harness/recording-server.ts';

export const FPS = 25;

/** Processes that record into one folder, each with a spool of its own, as on machines of their own. */
export async function startRecordingCluster(
  size: { readonly signaling: number; readonly media: number },
  settings: Readonly<Record<string, string>> = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-cluster-recording-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  let spools = 0;
  const cluster = await Cluster.start(
    { signaling: size.signaling, media: 0 },
    {
      MILLRACE_CHANNEL_SECRET: 'what the processes of this cluster share',
      MILLRACE_RECORDINGS: join(folder, 'recordings'),
      MILLRACE_RESUME_TIMEOUT: '10s',
      // A page goes on with its session at another process.
      MILLRACE_ALLOWED_ORIGINS: '*',
      ...settings,
    },
  );
  const addMedia = (more: Readonly<Record<string, string>> = {}): Promise<MediaRole> => {
    spools += 1;
    return cluster.addMedia({ MILLRACE_RECORDING_SPOOL: join(folder, 'spool', String(spools)), ...more });
  };
  for (let i = 0; i < size.media; i++) await addMedia();
  return { cluster, folder, addMedia, fileOf: (name: string) => join(folder, 'recordings', `${name}.webm`) };
}

/** Publishes counter-source.js as `name` and records it under that name, 3 s already. */
export async function recordCounter(
  t: TestContext,
  cluster: Cluster,
  front: SignalingRole,
  name: string,
  options: CounterOptions = {},
): Promise<DocumentClientPage> {
  const publisher = await cluster.open(front, '?events=1');
  t.after(() => publisher.page.isClosed() || publisher.close());
  succeeded(await publishCounter(publisher, name, { fps: FPS, ...options }));
  await startRecording(publisher, name, name);
  await recorded(front.httpUrl, `${name}.webm`, 3000);
  return publisher;
}

/** The event that tells a session how a recording ended. */
export function ended(page: DocumentClientPage, stream: string): Promise<ReplyMessage> {
  return eventually(
    'record.ended',
    async () => {
      const events = await page.run<ReplyMessage[]>('session.events');
      return events.find((event) => event.method === 'record.ended' && event.stream === stream);
    },
    { timeoutMs: 60_000 },
  );
}
