import { checkAddresses } from './addresses.ts';
import { createChannelAccess } from './channel-access.ts';
import { prepareFront } from './front.ts';
import { localMediaChannel, openMediaNode } from './media-node.ts';
import { mediaPortProblems } from './media-ports.ts';
import type { ReadSettings } from './read-settings.ts';
import { openRecordings } from './recordings.ts';
import { openRegistry } from './registry.ts';
import { remoteMediaChannel } from './remote-media.ts';
import { openRemoteRecordings } from './remote-recordings.ts';
import { beginRole } from './role-process.ts';

const LISTENERS = ['listen', 'localListen', 'metricsListen', 'channelListen'] as const;

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** How this program is started. */
  readonly program: readonly [string, ...string[]];
}

/** `millrace all`: every role in this process, until a signal ends it. */
export async function runAll(
  read: ReadSettings,
  { environment, version, program }: Surroundings,
): Promise<void> {
  const { settings } = read;
  const role = beginRole(read, version);
  const { log, metrics, format } = role;
  await checkAddresses(settings, LISTENERS, await mediaPortProblems(settings));
  const front = await prepareFront(role, environment);
  const registry = await openRegistry(settings, log);
  role.onEnd(() => registry.close());
  const access = createChannelAccess(settings, log);
  role.onEnd(() => access.close());
  const { mediaServer, channel } = await openMediaNode(role, { registry, access });
  await mediaServer.start();
  const node = mediaServer.nodeId;
  const recorders = { registry, node, channel, access, log, metrics, format, environment, program };
  const recordings = await openRecordings(read, recorders);
  if (recordings !== undefined) role.onEnd(() => recordings.close());
  // With others, which may have recordings that are asked for here.
  const shared =
    settings.redis === undefined
      ? undefined
      : await openRemoteRecordings(settings, { registry, access, log });
  if (shared !== undefined) role.onEnd(() => shared.close());
  await front.start({
    registry,
    mediaChannel: (node) =>
      node.id === mediaServer.nodeId
        ? localMediaChannel(mediaServer, role)
        : remoteMediaChannel(node, access, log),
    ...(recordings && { recordings: shared ?? recordings }),
    media: true,
  });
}
