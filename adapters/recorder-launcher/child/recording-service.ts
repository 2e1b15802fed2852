import type { RecordingCalls, RecordingNotice } from '../../../core/channel/recordings.ts';
import type { Serve } from '../../../core/channel/service.ts';
import { MillraceError } from '../../../core/protocol/error.ts';
import type { RecorderLauncher } from '../../../core/recording/launcher.ts';

export interface RecordingServiceOptions {
  readonly launcher: RecorderLauncher;
  /** Which store this process has. @throws MillraceError `storage_unavailable` */
  readonly store: () => Promise<string>;
  /** Where that is, for people. */
  readonly location: string;
}

/** What a process that runs recordings answers signaling; every signaling process hears how they end. */
export function recordingService({
  launcher,
  store,
  location,
}: RecordingServiceOptions): Serve<RecordingCalls, RecordingNotice> {
  return (peer) => {
    peer.onClose(launcher.onEnded((record) => peer.notify({ type: 'ended', record })));
    return {
      async start({ store: theirs, ...request }) {
        if (theirs === (await store())) return launcher.start(request);
        throw new MillraceError(
          'storage_unavailable',
          `the media server keeps recordings in ${location}, which is not where signaling reads them; give all processes a MILLRACE_RECORDINGS that is one place for all machines: a bucket, or a folder that they share`,
        );
      },
      async stop({ recording, timeoutMs }) {
        const [record] = await launcher.stop([recording], { timeoutMs });
        if (record !== undefined) return record;
        throw new MillraceError('recording_not_running', `there is no recording "${recording}"`);
      },
    };
  };
}

/** Of a media server whose recordings are off. */
export const refuseRecording: Serve<RecordingCalls, RecordingNotice> = () => {
  const refuse = async (): Promise<never> => {
    throw new MillraceError(
      'storage_unavailable',
      'the media server has MILLRACE_RECORDINGS=off, and signaling has not; give all processes the same',
    );
  };
  return { start: refuse, stop: refuse };
};
