import type { Logger } from 'pino';
import { RemoteLauncher } from '../adapters/recorder-launcher/remote/launcher.ts';
import { storeIdentity } from '../adapters/storage/store-identity.ts';
import type { RecordingCalls, RecordingNotice } from '../core/channel/recordings.ts';
import type { Registry } from '../core/registry/registry.ts';
import type { ObjectStore } from '../core/storage/object-store.ts';
import type { ChannelAccess } from './channel-access.ts';
import { PROCESS_NAME } from './process-name.ts';
import type { Settings } from './settings.ts';
import { openStorage } from './storage.ts';

/** Far above what one process' clients can have under way at once. */
const MAX_CALLS = 10_000;

export interface RemoteRecordings {
  readonly launcher: RemoteLauncher;
  readonly objects: ObjectStore;
  close(): void;
}

/** Recordings that media servers run, and whose files are read here; undefined where they are off. */
export async function openRemoteRecordings(
  { recordings }: Pick<Settings, 'recordings'>,
  { registry, access, log: parent }: { registry: Registry; access: ChannelAccess; log: Logger },
): Promise<RemoteRecordings | undefined> {
  if (recordings === undefined) return undefined;
  const log = parent.child({ component: 'recordings' });
  const objects = await openStorage(recordings);
  const launcher = new RemoteLauncher({
    registry,
    name: PROCESS_NAME,
    connect: ({ id: node, address }) =>
      access.connect<RecordingCalls, RecordingNotice>(address, 'recordings', MAX_CALLS, ({ why, detail }) =>
        log.debug({ node, address, why, detail }, 'the channel to a recording host is gone'),
      ),
    store: storeIdentity(objects),
    log,
    now: () => performance.now(),
  });
  launcher.open();
  return {
    launcher,
    objects,
    close() {
      launcher.close();
      objects.close();
    },
  };
}
