/**
 * Asks again until the answer is truthy.
 * @throws Error naming `what` and the last answer, after `timeoutMs`
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T> | T,
  { timeoutMs = 20_000, everyMs = 100 } = {},
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      last = await ask();
      if (last) return last as NonNullable<T>;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      const seen = last instanceof Error ? last.stack : JSON.stringify(last);
      throw new Error(`not seen within ${timeoutMs} ms: ${what}; last: ${seen}`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
