import { MillraceError } from '../core/protocol/error.ts';
import type { Offer, ProducerDescription } from '../core/sdp/types.ts';
import type { Carrier } from './carrier.ts';
import type { PipeSet, TrackSource } from './pipe.ts';
import type { MediaWorker } from './worker.ts';

/** A track of a publication, where a play can consume it. */
export interface Source extends TrackSource {
  readonly description: ProducerDescription;
}

/**
 * The tracks of a publication that a viewer's offer has a use for, as the viewer's worker has them.
 *
 * @throws MillraceError as `PipeSet.bring`; nothing is held then
 */
export async function bringSources(
  viewer: { readonly worker: MediaWorker; readonly pipes: PipeSet; readonly offer: Offer },
  publication: Carrier,
): Promise<readonly Source[]> {
  const { worker, pipes, offer } = viewer;
  const offered = (kind: string) => offer.sections.some(({ type }) => type === kind);
  // Where nothing has to be brought, the plan may look at all of them: it says what an offer lacks.
  const wanted = publication.producers.filter(
    ({ plan: { kind } }) => publication.worker === worker || offered(kind),
  );
  const brought = await Promise.allSettled(
    wanted.map(async ({ plan: { kind, codec }, producer: origin }): Promise<Source> => {
      const source = await pipes.bring(origin, publication.worker, worker);
      const { id, consumableRtpParameters } = source.producer;
      return { ...source, description: { id, kind, codec, consumableRtpParameters } };
    }),
  );
  const sources = brought.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = brought.find((result) => result.status === 'rejected');
  if (!failed) return sources;
  releaseAll(sources, () => false);
  throw failed.reason;
}

/** Lets go of those that are not used. */
export function releaseAll(sources: readonly Source[], isUsed: (source: Source) => boolean): void {
  for (const source of sources) if (!isUsed(source)) source.release();
}

export function streamChanged(cause?: unknown): MillraceError {
  return new MillraceError('stream_ended', 'the stream changed while it was being joined; play it again', {
    cause,
  });
}
