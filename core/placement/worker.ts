import { type Loaded, leastLoaded } from './least-loaded.ts';
import { choosePlay } from './play.ts';

/**
 * The worker of a media server for a new publish or a new viewer.
 * @param workers those that are alive
 * @param stream for a viewer: the stream's own worker, and the workers that have it through a pipe;
 *   absent for a publish
 * @param random uniform in [0, 1)
 * @returns undefined when no worker is alive
 */
export function chooseWorker<T extends Loaded>(
  workers: readonly T[],
  stream: { readonly own: T; readonly piped: readonly T[] } | undefined,
  random: () => number,
): T | undefined {
  if (stream === undefined) return leastLoaded(workers, random);
  return choosePlay(workers, stream.own, stream.piped, random);
}
