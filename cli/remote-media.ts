import type { Logger } from 'pino';
import type { MediaCalls, MediaChannel, MediaNotice } from '../core/channel/media.ts';
import type { PipeCalls, PipeChannel, PipeNotice } from '../core/channel/pipes.ts';
import type { NodeEntry } from '../core/registry/record.ts';
import type { ChannelAccess } from './channel-access.ts';

/** Far above what one process' clients can have under way at once. */
export const MAX_MEDIA_CALLS = 100_000;
/** Some calls for each stream that is pulled. */
const MAX_PIPE_CALLS = 10_000;

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

/** The channel by which this media server pulls streams from another one. */
export function remotePipeChannel(address: string, access: ChannelAccess, log: Logger): PipeChannel {
  return access.connect<PipeCalls, PipeNotice>(address, 'pipes', MAX_PIPE_CALLS, ({ why, detail }) =>
    log[why.startsWith('closed') ? 'info' : 'warn'](
      { address, why, detail },
      'the channel for pipes to a media server is gone',
    ),
  );
}
