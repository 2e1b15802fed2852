import type { Logger } from 'pino';
import type { Registry as MetricsRegistry } from 'prom-client';
import { ChildLauncher } from '../adapters/recorder-launcher/child/launcher.ts';
import { recordingService, refuseRecording } from '../adapters/recorder-launcher/child/recording-service.ts';
import { storeIdentity } from '../adapters/storage/store-identity.ts';
import { parsedService } from '../core/channel/parsed-service.ts';
import { RECORDER_REQUESTS, RECORDING_REQUESTS } from '../core/channel/recorder-requests.ts';
import type { Registry } from '../core/registry/registry.ts';
import type { ObjectStore } from '../core/storage/object-store.ts';
import { openRecordingStorage } from '../recorder/index.ts';
import type { ChannelAccess } from './channel-access.ts';
import type { ChannelListener } from './channel-listener.ts';
import type { LogFormat } from './log.ts';
import type { ReadSettings } from './read-settings.ts';
import { recorderEnvironment } from './recorder-environment.ts';
import { openStorage } from './storage.ts';

/**
 * A recorder has little on its heap at once; what V8 would set aside for more, it has three times. Waking four
 * threads to collect that little takes longer than collecting it. By the most that it may have, V8 reckons how
 * much garbage it lets gather before it looks: of the machine's memory that would be hundreds of MB in hours.
 */
const SMALL_HEAP = ['--max-semi-space-size=1', '--max-old-space-size=256', '--single-threaded-gc'] as const;
/** What is left of the time to end after that belongs to the other roles. */
const LEAVE_MS = 1200;

export interface Recordings {
  readonly launcher: ChildLauncher;
  readonly objects: ObjectStore;
  close(): Promise<void>;
}

export interface RecordingsDeps {
  readonly registry: Registry;
  /** This process' media server. */
  readonly node: string;
  readonly channel: ChannelListener;
  readonly access: ChannelAccess;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly format: LogFormat;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How this program is started. */
  readonly program: readonly [string, ...string[]];
}

/** Recordings of this process, by child processes; undefined where they are off. */
export async function openRecordings(
  read: ReadSettings,
  { registry, node, channel, access, log: parent, metrics, format, environment, program }: RecordingsDeps,
): Promise<Recordings | undefined> {
  const { settings } = read;
  if (settings.recordings === undefined) {
    channel.serve('recordings', refuseRecording);
    return undefined;
  }
  const [runtime, ...rest] = program;
  const log = parent.child({ component: 'recordings' });
  const objects = await openStorage(settings.recordings);
  const storage = await openRecordingStorage({
    objects,
    spoolDirectory: settings.recordingSpool,
    log,
    wallClock: Date.now,
  });
  const store = storeIdentity(objects);
  const launcher = new ChildLauncher(
    {
      host: node,
      maxRecordings: settings.maxRecordings,
      limits: {
        maxDurationMs: settings.maxRecordingDuration,
        maxFileBytes: settings.maxRecordingSize,
        maxSpoolBytes: settings.maxSpoolSize,
        flushIntervalMs: settings.recordingFlush,
        resumeMs: settings.resumeTimeout,
      },
      sidecar: settings.recordingSidecar === 'on',
    },
    {
      registry,
      storage,
      ...(settings.redis !== undefined && { store }),
      address: channel.address,
      program: {
        command: [runtime, ...SMALL_HEAP, ...rest, 'recorder'],
        environment: recorderEnvironment(read, environment, format),
      },
      token: (spec) => access.recorderToken(spec),
      log,
      metrics,
      now: () => performance.now(),
      wallClock: Date.now,
    },
  );
  channel.serve('recorder', parsedService(launcher.serve, RECORDER_REQUESTS));
  const hosted = recordingService({ launcher, store, location: objects.location });
  channel.serve('recordings', parsedService(hosted, RECORDING_REQUESTS));
  launcher.open();
  return { launcher, objects, close: () => close(launcher, objects) };
}

/** Recorders go on making things durable by themselves when there is no time left to wait for it. */
async function close(launcher: ChildLauncher, objects: ObjectStore): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LEAVE_MS);
  });
  await Promise.race([launcher.close(), late]);
  clearTimeout(timer);
  objects.close();
}
