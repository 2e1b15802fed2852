import type { PlayReply } from '../../core/channel/media.ts';
import {
  type ErrorName,
  MillraceError,
  type ReplyData,
  type RequestData,
  type StreamName,
} from '../../core/protocol/index.ts';
import type { NodeId, StreamRecord } from '../../core/registry/record.ts';
import { type PlayPlace, placePlay } from '../play-place.ts';
import {
  demandPermission,
  demandUseful,
  type RequestContext,
  type Services,
  timeLeft,
} from '../request-context.ts';
import { StreamWait } from '../stream-wait.ts';

/** Media servers that a play is tried at. */
const ATTEMPTS = 3;

type PlayData = RequestData<'stream.play'>;

/**
 * Plays a stream, or answers a new offer for one that the session plays already. It waits for a stream that
 * is not there yet without holding up the session's other requests for it.
 *
 * @param context its deadline includes `wait_ms`
 */
export async function play(
  services: Services,
  context: RequestContext,
  stream: StreamName,
  data: PlayData,
): Promise<ReplyData<'stream.play'>> {
  const { session } = context;
  demandPermission(context.identity, 'play', stream);
  const waitMs = data.wait_ms ?? 0;
  if (waitMs === 0) return session.serially(stream, () => playNow(services, context, stream, data));

  const wait = new StreamWait(services.registry, session, stream, waitMs);
  try {
    while (await wait.next()) {
      try {
        return await session.serially(stream, () => {
          wait.demandGoingOn();
          return playNow(services, context, stream, data);
        });
      } catch (error) {
        wait.demandGoingOn();
        if (!isA(error, 'stream_not_found') && !isA(error, 'stream_ended')) throw error;
      }
    }
  } finally {
    wait.release();
  }
  throw notFound(stream, ` within ${waitMs} ms`);
}

async function playNow(
  services: Services,
  context: RequestContext,
  stream: StreamName,
  data: PlayData,
): Promise<ReplyData<'stream.play'>> {
  demandUseful(services, context);
  // Again, as the token may have been renewed while the play waited.
  demandPermission(context.identity, 'play', stream);
  const { session } = context;
  session.demandRoomFor(stream, services.settings.limits.streamsPerSession);
  const record = await services.streams.find(stream);
  if (record === undefined) throw notFound(stream, '');
  const { sdp, node } = await playSomewhere(services, context, record, data);
  services.log.info({ session: session.publicId, stream, node }, 'stream played');
  void services.records.save(session);
  return { sdp };
}

/** At the best place; where that is out of reach or full, at the next one. */
async function playSomewhere(
  services: Services,
  context: RequestContext,
  record: StreamRecord,
  data: PlayData,
): Promise<PlayReply & { readonly node: NodeId }> {
  const { name: stream } = record;
  const refused = new Set<NodeId>();
  for (let attempt = 1; ; attempt++) {
    const place = await placePlay(services, context, record, refused);
    const { node } = place;
    try {
      const reply = await callPlay(services, context, stream, place, data).catch((error: unknown) => {
        // Its publisher changed transports just now: the new generation can be played.
        if (!isA(error, 'stream_ended')) throw error;
        return callPlay(services, context, stream, place, data);
      });
      services.forecast.placed(node, services.now());
      if (place.origin) services.edges.chosen(stream, node);
      return { ...reply, node };
    } catch (error) {
      const elsewhere = isA(error, 'too_many') || (isA(error, 'no_media_server') && node !== record.node);
      if (!elsewhere || attempt === ATTEMPTS || timeLeft(services, context) <= 0) throw error;
      services.log.info({ stream, node, err: error }, 'stream not played there; trying another media server');
      refused.add(node);
    }
  }
}

async function callPlay(
  services: Services,
  context: RequestContext,
  stream: StreamName,
  { node, origin }: PlayPlace,
  data: PlayData,
): Promise<PlayReply> {
  const { session } = context;
  const before = session.hold(stream)?.play;
  // Held before the answer is known: the media server may end it before the answer is read.
  session.setHold(stream, { play: { node } });
  let reply: PlayReply;
  try {
    reply = await services.links.call(
      node,
      'play',
      { stream, session: session.id, sdp: data.sdp, events: session.events, ...(origin && { origin }) },
      timeLeft(services, context),
    );
  } catch (error) {
    if (isA(error, 'stream_not_found')) services.streams.forget(stream);
    restore(services, context, stream, node, before?.node, error);
    throw error;
  }
  if (session.ended) {
    await services.sessions.release(session, node);
    throw new MillraceError(
      'unknown_session',
      'this session ended meanwhile; send "" to start a new session',
    );
  }
  // Shown until the new one is: its client leaves it then.
  if (before !== undefined && before.node !== node) close(services, context, stream, before.node, true);
  return reply;
}

/** After a failure the session has what it had, and a first play that timed out leaves nothing behind. */
function restore(
  services: Services,
  context: RequestContext,
  stream: StreamName,
  node: NodeId,
  before: NodeId | undefined,
  error: unknown,
): void {
  const { session } = context;
  if (session.hold(stream)?.play?.node === node) {
    if (before === undefined || (before === node && isA(error, 'stream_not_found')))
      session.dropHold(stream, 'play');
    else session.setHold(stream, { play: { node: before } });
  }
  if (before !== node && isA(error, 'timed_out')) {
    close(services, context, stream, node);
  }
}

function close(
  services: Services,
  context: RequestContext,
  stream: StreamName,
  node: NodeId,
  leaving = false,
): void {
  const request = { stream, session: context.session.id, role: 'play', ...(leaving && { leaving }) } as const;
  services.links.call(node, 'close', request, services.settings.requestTimeoutMs).catch((error: unknown) => {
    services.log.warn({ session: context.session.publicId, stream, node, err: error }, 'play not closed');
  });
}

function isA(error: unknown, name: ErrorName): boolean {
  return error instanceof MillraceError && error.errorName === name;
}

function notFound(stream: StreamName, when: string): MillraceError {
  return new MillraceError(
    'stream_not_found',
    `nobody publishes "${stream}"${when}; check the name, or let the request wait for it with "wait_ms"`,
  );
}
