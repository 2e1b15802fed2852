import type { MediaCalls, MediaNotice } from '../core/channel/media.ts';
import type { Serve } from '../core/channel/service.ts';
import type { MediaServer } from '../media-server/index.ts';

/** What a media server answers signaling; every signaling process hears all of its notices. */
export function mediaService(
  mediaServer: Pick<MediaServer, 'handlers' | 'onNotice'>,
): Serve<MediaCalls, MediaNotice> {
  return (peer) => {
    peer.onClose(mediaServer.onNotice((notice) => peer.notify(notice)));
    return mediaServer.handlers;
  };
}
