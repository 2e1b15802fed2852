/** What was asked for took too long. */
export class DeadlineError extends Error {}

/**
 * The result of `work`. What comes later than that goes to `onLate`, as the work itself cannot be taken back.
 *
 * @throws DeadlineError naming `what` when it takes longer than `timeoutMs`
 */
export async function withDeadline<T>(
  what: string,
  timeoutMs: number,
  work: Promise<T>,
  onLate: (result: T) => void = () => {},
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let late = false;
  work.then(
    (result) => {
      if (late) onLate(result);
    },
    () => {},
  );
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      late = true;
      reject(new DeadlineError(`${what} took longer than ${timeoutMs} ms`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
