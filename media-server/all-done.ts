/**
 * Resolves when all have resolved. After a failure it still waits for the others, as they go on and need what
 * they were given; then it rejects with the first failure, by their order.
 */
export async function allDone(works: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(works);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
