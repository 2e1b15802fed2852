import type { Readable } from 'node:stream';
import { withinDeadline } from '../deadline.ts';

/** Of an answer: whole, or an error that the SDK or the socket threw. */
export async function bytesOf(body: Readable, signal: AbortSignal): Promise<Uint8Array> {
  const stop = () => body.destroy();
  signal.addEventListener('abort', stop);
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return Buffer.concat(chunks);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/**
 * The answer as it arrives, its first bytes awaited already.
 *
 * @param timeoutMs for the first bytes, and for each silence after them
 */
export async function chunksOf(
  body: Readable,
  timeoutMs: number,
  late: () => Error,
  translate: (error: unknown) => Error,
): Promise<AsyncIterable<Uint8Array>> {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  const next = async () => {
    try {
      return await withinDeadline(timeoutMs, () => chunks.next(), late);
    } catch (error) {
      body.destroy();
      throw translate(error);
    }
  };
  const first = await next();
  return (async function* () {
    try {
      for (let one = first; one.done !== true; one = await next()) yield one.value;
    } finally {
      body.destroy();
    }
  })();
}
