import { connectLocal } from '../adapters/channel/local.ts';
import type { MediaCalls, MediaChannel, MediaNotice } from '../core/channel/media.ts';
import { guardedPipes } from '../core/channel/pipe-requests.ts';
import type { Registry } from '../core/registry/registry.ts';
import { createMediaServer, type MediaServer } from '../media-server/index.ts';
import type { ChannelAccess } from './channel-access.ts';
import { type ChannelListener, startChannelListener } from './channel-listener.ts';
import { mediaService } from './media-service.ts';
import { MAX_MEDIA_CALLS, remotePipeChannel } from './remote-media.ts';
import type { RoleProcess } from './role-process.ts';
import { mediaServerSettings } from './role-settings.ts';

/** A media server, and where other processes reach it. */
export interface MediaNode {
  readonly mediaServer: MediaServer;
  readonly channel: ChannelListener;
}

/** Listens for other processes, and makes the media server that answers them; it is not started yet. */
export async function openMediaNode(
  role: RoleProcess,
  { registry, access }: { readonly registry: Registry; readonly access: ChannelAccess },
): Promise<MediaNode> {
  const { settings, version, log, metrics } = role;
  const channel = await startChannelListener(settings, { access, log, metrics });
  role.onEnd(() => channel.close());
  const mediaServer = createMediaServer(mediaServerSettings(settings, version, channel.address), {
    registry,
    log,
    metrics,
    pipeChannel: (address) => remotePipeChannel(address, access, log),
  });
  role.onEnd(() => mediaServer.close());
  mediaServer.onFenced(() => role.lifetime.end('this media server was fenced', 1));
  channel.serve('media', mediaService(mediaServer));
  channel.serve('pipes', guardedPipes(mediaServer.servePipes));
  return { mediaServer, channel };
}

/** The channel to a media server of this process. */
export function localMediaChannel(mediaServer: MediaServer, { log }: RoleProcess): MediaChannel {
  return connectLocal<MediaCalls, MediaNotice>(
    mediaServer.handlers,
    (listener) => mediaServer.onNotice(listener),
    {
      maxCallsInFlight: MAX_MEDIA_CALLS,
      onError: (error, call) => log.error({ err: error, call }, 'a call to the media server failed'),
    },
  );
}
