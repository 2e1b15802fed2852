import { HealthServer } from '../signaling/index.ts';
import { checkAddresses } from './addresses.ts';
import type { Surroundings } from './all.ts';
import { createChannelAccess } from './channel-access.ts';
import { openMediaNode } from './media-node.ts';
import { mediaPortProblems } from './media-ports.ts';
import type { ReadSettings } from './read-settings.ts';
import { openRecordings } from './recordings.ts';
import { openSharedRegistry } from './registry.ts';
import { beginRole } from './role-process.ts';

const LISTENERS = ['metricsListen', 'channelListen'] as const;

/** `millrace media-server`: media, for signaling processes that share the registry. */
export async function runMediaServer(
  read: ReadSettings,
  { environment, version, program }: Surroundings,
): Promise<void> {
  const { settings } = read;
  const role = beginRole(read, version);
  const { log, metrics, format, lifetime } = role;
  await checkAddresses(settings, LISTENERS, await mediaPortProblems(settings));
  const registry = await openSharedRegistry(settings, log);
  role.onEnd(() => registry.close());
  const access = createChannelAccess(settings, log);
  role.onEnd(() => access.close());
  const { mediaServer, channel } = await openMediaNode(role, { registry, access });
  let started = false;
  const health =
    settings.metricsListen &&
    new HealthServer(
      settings.metricsListen,
      metrics,
      () => started && !lifetime.ending && !lifetime.draining,
    );
  if (health) role.onEnd(() => health.close());
  await health?.listen();
  await mediaServer.start();
  const node = mediaServer.nodeId;
  const recorders = { registry, node, channel, access, log, metrics, format, environment, program };
  const recordings = await openRecordings(read, recorders);
  if (recordings !== undefined) role.onEnd(() => recordings.close());
  started = true;
  lifetime.onDrain(() => mediaServer.drain(settings.drainTimeout));
  mediaServer.onDrainAsked(() => lifetime.drain('an administrator asked for it'));
  log.info(
    {
      version,
      node: mediaServer.nodeId,
      channel: channel.address,
      ...(health && { metrics_port: health.port }),
      ms: Math.round(performance.now()),
    },
    'ready',
  );
}
