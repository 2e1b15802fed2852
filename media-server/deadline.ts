import { MillraceError } from '../core/protocol/error.ts';

/**
 * The result of `work`, or `timed_out` when it takes longer than `timeoutMs`. The work itself cannot be
 * taken back: the caller says in `onLate` what becomes of a result that nobody waits for any more.
 */
export async function withDeadline<T>(
  what: string,
  timeoutMs: number,
  work: Promise<T>,
  onLate?: (result: T) => void,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let late = false;
  if (onLate) {
    work.then(
      (result) => {
        if (late) onLate(result);
      },
      () => {},
    );
  }
  const deadline = new Promise<never>((_, reject) => {
    const onTime = () => {
      late = true;
      reject(new MillraceError('timed_out', `${what} took longer than ${timeoutMs} ms; try again`));
    };
    // After a stall of this process, what has come in meanwhile is read before anybody is called late.
    timer = setTimeout(() => setImmediate(onTime), timeoutMs);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
