import { errors } from 'mediasoup';
import type { Logger } from 'pino';
import type { MediaHandlers } from '../core/channel/media.ts';
import type { PipeHandlers } from '../core/channel/pipes.ts';
import { MillraceError, toMillraceError } from '../core/protocol/error.ts';

/** The same handlers, but what they throw is in the error table, and what is not the caller's fault is logged. */
export function answeringErrors(handlers: MediaHandlers, log: Logger): MediaHandlers {
  const wrap = wrapper(log, mediaFailure);
  return {
    publish: wrap('publish', handlers.publish),
    play: wrap('play', handlers.play),
    mute: wrap('mute', handlers.mute),
    close: wrap('close', handlers.close),
    release: wrap('release', handlers.release),
    end: wrap('end', handlers.end),
    edges: wrap('edges', handlers.edges),
    moved: wrap('moved', handlers.moved),
    drain: wrap('drain', handlers.drain),
    streams: wrap('streams', handlers.streams),
    stream: wrap('stream', handlers.stream),
  };
}

/** As `answeringErrors`. */
export function answeringPipeErrors(handlers: PipeHandlers, log: Logger): PipeHandlers {
  const wrap = wrapper(log, toMillraceError);
  return {
    locate: wrap('locate', handlers.locate),
    adopt: wrap('adopt', handlers.adopt),
    open: wrap('open', handlers.open),
    pull: wrap('pull', handlers.pull),
    release: wrap('release', handlers.release),
    close: wrap('close', handlers.close),
  };
}

function wrapper(log: Logger, toFailure: (error: unknown) => MillraceError) {
  return <Request, Reply>(call: string, handler: (request: Request) => Promise<Reply>) =>
    async (request: Request): Promise<Reply> => {
      try {
        return await handler(request);
      } catch (error) {
        const failure = toFailure(error);
        if (failure.errorName === 'internal') log.error({ err: error, call }, 'call failed');
        throw failure;
      }
    };
}

/** mediasoup refuses parameters with a TypeError or an UnsupportedError, and those came from an offer. */
export function mediaFailure(error: unknown): MillraceError {
  if (error instanceof TypeError || error instanceof errors.UnsupportedError) {
    return new MillraceError(
      'invalid_sdp',
      `the offer describes media that cannot be received or sent: ${error.message}; change the offer`,
      { cause: error },
    );
  }
  return toMillraceError(error);
}
