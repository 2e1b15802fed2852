import { checkAddresses } from './addresses.ts';
import type { Surroundings } from './all.ts';
import { createChannelAccess } from './channel-access.ts';
import { prepareFront } from './front.ts';
import type { ReadSettings } from './read-settings.ts';
import { openSharedRegistry } from './registry.ts';
import { remoteMediaChannel } from './remote-media.ts';
import { openRemoteRecordings } from './remote-recordings.ts';
import { beginRole } from './role-process.ts';

const LISTENERS = ['listen', 'localListen', 'metricsListen'] as const;

/** `millrace signaling`: what clients speak to. Media servers, which also record, are other processes, found in the registry. */
export async function runSignaling(
  read: ReadSettings,
  { environment, version }: Surroundings,
): Promise<void> {
  const { settings } = read;
  const role = beginRole(read, version);
  const { log } = role;
  await checkAddresses(settings, LISTENERS);
  const front = await prepareFront(role, environment);
  const registry = await openSharedRegistry(settings, log);
  role.onEnd(() => registry.close());
  const access = createChannelAccess(settings, log);
  role.onEnd(() => access.close());
  const recordings = await openRemoteRecordings(settings, { registry, access, log });
  if (recordings !== undefined) role.onEnd(() => recordings.close());
  await front.start({
    registry,
    mediaChannel: (node) => remoteMediaChannel(node, access, log),
    ...(recordings && { recordings }),
    media: false,
  });
}
