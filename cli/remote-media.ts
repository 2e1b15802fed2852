import type { Logger } from 'pino';
import type { MediaCalls, MediaChannel, MediaNotice } from '../core/channel/media.ts';
import type { NodeEntry } from '../core/registry/record.ts';
import type { ChannelAccess } from './channel-access.ts';

/** Far above what one process' clients can have under way at once. */
export const MAX_MEDIA_CALLS = 100_000;

/** The channel to a media server of another process. */
export function remoteMediaChannel(
  { id: node, address }: NodeEntry,
  access: ChannelAccess,
  log: Logger,
): MediaChannel {
  return access.connect<MediaCalls, MediaNotice>(address, 'media', MAX_MEDIA_CALLS, ({ why, detail }) =>
    log[why.startsWith('closed') ? 'info' : 'warn'](
      { node, address, why, detail },
      'the channel to a media server is gone',
    ),
  );
}
