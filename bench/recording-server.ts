import { randomBytes } from 'node:crypto';
import { eventually } from '../test/harness/condition.ts';
import { type ServerProcess, startServer } from '../test/harness/server.ts';
import { recorderPids } from '../test/recording/harness/recorder-processes.ts';
import { LoadClient } from './load-client.ts';
import { children } from './measure/process.ts';
import type { Media } from './recording-media.ts';
import type { PipeAccess } from './recording-peers.ts';
import { Session } from './session.ts';

const SECRET = randomBytes(32).toString('hex');
let nextChannelPort = 37_000;

/** A server that records, with one stream that is published to it. */
export interface RecordingServer {
  readonly server: ServerProcess;
  readonly session: Session;
  readonly access: PipeAccess;
  /** Process ids of the parts of its one recorder. */
  recorder(): Readonly<Record<RecorderProcess, number>>;
  stop(): Promise<void>;
}

export type RecorderProcess = 'supervisor' | 'receiver' | 'worker' | 'muxer';

export const STREAM = 'recorded';

export async function startRecordingServer(
  settings: Readonly<Record<string, string>>,
  media: Media,
): Promise<RecordingServer> {
  const channel = `127.0.0.1:${nextChannelPort++}`;
  const server = await startServer({
    MILLRACE_WORKERS: '1',
    MILLRACE_RTC_LISTEN: '127.0.0.1',
    MILLRACE_RESUME_TIMEOUT: '1s',
    MILLRACE_CHANNEL_LISTEN: channel,
    MILLRACE_CHANNEL_SECRET: SECRET,
    ...settings,
  });
  const publisher = new LoadClient('replay', { url: server.wsUrl, stream: STREAM, ...media });
  await publisher.next('published');
  const session = await Session.open(server.wsUrl);
  return {
    server,
    session,
    access: { address: `ws://${channel}`, secret: SECRET },
    recorder() {
      const only = (part: 'supervisor' | 'receiver' | 'muxer') => {
        const [pid, ...others] = recorderPids(server.process.pid ?? -1, part);
        if (pid === undefined || others.length > 0) throw new Error(`there is not one ${part}`);
        return pid;
      };
      const receiver = only('receiver');
      const [worker] = children(receiver);
      if (worker === undefined) throw new Error('the receiver has no worker');
      return { supervisor: only('supervisor'), receiver, worker, muxer: only('muxer') };
    },
    async stop() {
      session.close();
      await publisher.end();
      await server.stop();
    },
  };
}

/** Where the machine is busy a recorder takes longer than a client may wait; then again. */
export async function startRecording(session: Session): Promise<void> {
  await eventually('a recording', () => session.request('record.start', STREAM, { fileName: 'millrace' }), {
    timeoutMs: 60_000,
    everyMs: 1000,
  });
}
