import type { PublishReply } from '../../core/channel/media.ts';
import {
  type ErrorName,
  MillraceError,
  type ReplyData,
  type RequestData,
  type StreamName,
} from '../../core/protocol/index.ts';
import { type Claim, claimStream } from '../claim.ts';
import { demandPermission, type RequestContext, type Services, timeLeft } from '../request-context.ts';

type PublishData = RequestData<'stream.publish'>;

/** Publishes a stream, or answers a new offer for one that the session publishes already. */
export async function publish(
  services: Services,
  context: RequestContext,
  stream: StreamName,
  data: PublishData,
): Promise<ReplyData<'stream.publish'>> {
  const { session } = context;
  demandPermission(context.identity, 'publish', stream);
  const again = await publishAgain(services, context, stream, data);
  if (again !== undefined) return { sdp: again.sdp };

  session.demandRoomFor(stream, services.settings.limits.streamsPerSession);
  const { claim, reply } = await publishAnew(services, context, stream, data);
  if (session.ended) {
    await services.sessions.release(session, claim.node);
    throw new MillraceError(
      'unknown_session',
      'this session ended meanwhile; send "" to start a new session',
    );
  }
  await describe(services, context, stream, claim, reply);
  services.log.info(
    { session: session.publicId, stream, node: claim.node, epoch: claim.epoch, tracks: reply.tracks },
    claim.displaced === undefined ? 'stream published' : 'stream taken over by another publisher',
  );
  services.webhooks.streamStarted(stream, claim.epoch, session, reply.tracks);
  await services.records.save(session);
  return { sdp: reply.sdp };
}

async function publishAnew(
  services: Services,
  context: RequestContext,
  stream: StreamName,
  data: PublishData,
): Promise<{ readonly claim: Claim; readonly reply: PublishReply }> {
  const { session } = context;
  // On a media server that drains: it goes on there until the stream is elsewhere.
  const own = session.hold(stream)?.publish;
  for (let attempt = 1; ; attempt += 1) {
    const claim = await claimStream(services, context, stream);
    const from = own?.node ?? claim.displaced?.node;
    if (from !== undefined && from !== claim.node) services.handovers.expect(stream, claim.epoch, from);
    // Held before the answer is known: the media server may end it before the answer is read.
    session.setHold(stream, { publish: { node: claim.node, epoch: claim.epoch } });
    try {
      return { claim, reply: await callPublish(services, context, stream, claim, data) };
    } catch (error) {
      session.dropHold(stream, 'publish', claim.epoch);
      if (own !== undefined && !session.ended) session.setHold(stream, { publish: own });
      await giveUp(services, context, stream, claim, own !== undefined);
      // It began to drain, or died, just when it was chosen.
      if (attempt === ATTEMPTS || !isA(error, 'no_media_server')) throw error;
    }
  }
}

const ATTEMPTS = 2;

/** The media server tells a renegotiation, an ICE restart and a second transport apart. */
async function publishAgain(
  services: Services,
  context: RequestContext,
  stream: StreamName,
  data: PublishData,
): Promise<PublishReply | undefined> {
  const { session } = context;
  const held = session.hold(stream)?.publish;
  if (held === undefined) return undefined;
  try {
    const reply = await callPublish(services, context, stream, held, data);
    await describe(services, context, stream, held, reply);
    services.log.info(
      { session: session.publicId, stream, node: held.node, epoch: held.epoch, tracks: reply.tracks },
      'stream renegotiated',
    );
    return reply;
  } catch (error) {
    // The stream is gone, or its media server is or drains: the session that owned it claims it anew.
    const gone = isA(error, 'stream_ended') || !services.links.reaches(held.node);
    if (!gone && !isA(error, 'no_media_server')) throw error;
    if (gone) session.dropHold(stream, 'publish', held.epoch);
    return undefined;
  }
}

function isA(error: unknown, name: ErrorName): boolean {
  return error instanceof MillraceError && error.errorName === name;
}

function callPublish(
  services: Services,
  context: RequestContext,
  stream: StreamName,
  { node, epoch }: Pick<Claim, 'node' | 'epoch'>,
  { sdp, max_bitrate }: PublishData,
): Promise<PublishReply> {
  const { id, subject } = context.session;
  return services.links.call(
    node,
    'publish',
    {
      stream,
      epoch,
      session: id,
      subject,
      sdp,
      events: context.session.events,
      ...(max_bitrate !== undefined && { maxBitrateBps: max_bitrate }),
    },
    timeLeft(services, context),
  );
}

async function describe(
  services: Services,
  context: RequestContext,
  stream: StreamName,
  { node, epoch }: Pick<Claim, 'node' | 'epoch'>,
  { tracks }: PublishReply,
): Promise<void> {
  const { id, subject } = context.session;
  services.streams.learn({ name: stream, node, epoch, session: id, subject, tracks, sinceMs: Date.now() });
  try {
    await services.registry.describeStream(stream, epoch, tracks);
  } catch (error) {
    // The stream is there all the same; its media server describes it once the registry is back.
    services.log.warn({ session: context.session.publicId, stream, err: error }, 'tracks not registered');
  }
}

const CLEAN_UP_TIMEOUT_MS = 2000;

/**
 * Takes a claim back whose publish failed. What it displaced is ended with it: its holder is gone, and the
 * registry cannot give it its epoch back. A publish that timed out may yet have happened: it is closed.
 *
 * @param moving the session has the stream elsewhere still, and goes on trying to move it
 */
async function giveUp(
  services: Services,
  context: RequestContext,
  stream: StreamName,
  claim: Claim,
  moving: boolean,
): Promise<void> {
  const former = moving ? undefined : claim.displaced;
  const closing = [
    { node: claim.node, session: context.session.id },
    ...(former === undefined ? [] : [{ node: former.node, session: former.session }]),
  ].map(({ node, session }) =>
    services.links.call(node, 'close', { stream, session, role: 'publish' }, CLEAN_UP_TIMEOUT_MS),
  );
  await Promise.allSettled([...closing, services.registry.releaseStream(stream, claim.epoch)]);
  services.streams.forget(stream);
}
