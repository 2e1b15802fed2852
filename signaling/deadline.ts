import { MillraceError } from '../core/protocol/index.ts';

/**
 * The time runs from before the work begins, so that what the work bounds by the same deadline ends no earlier.
 * @throws MillraceError `timed_out` when the work, which goes on then, is not done by the deadline
 */
export async function within<Result>(timeoutMs: number, work: () => Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new MillraceError('timed_out', `no answer within ${timeoutMs} ms; try again`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
