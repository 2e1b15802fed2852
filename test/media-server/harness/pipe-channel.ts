import { connectLocal } from '../../../adapters/channel/local.ts';
import type { PipeCalls, PipeChannel, PipeNotice } from '../../../core/channel/pipes.ts';
import type { MediaServer } from '../../../media-server/index.ts';

/** The channel that another process would have to the media server, within this process. */
export function pipeChannel(server: Pick<MediaServer, 'servePipes'>): PipeChannel {
  let tell: (notice: PipeNotice) => void = () => {};
  const closeListeners: (() => void)[] = [];
  const handlers = server.servePipes({
    identity: {},
    notify: (notice) => tell(notice),
    onClose: (listener) => closeListeners.push(listener),
  });
  return connectLocal<PipeCalls, PipeNotice>(
    handlers,
    (listener) => {
      tell = listener;
      return () => {
        tell = () => {};
        for (const closed of closeListeners.splice(0)) closed();
      };
    },
    { maxCallsInFlight: 100 },
  );
}
