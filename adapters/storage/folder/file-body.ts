import type { FileHandle } from 'node:fs/promises';
import type { ByteRange } from '../../../core/storage/object-store.ts';

const CHUNK_BYTES = 256 * 1024;

export async function readWhole(handle: FileHandle, range: ByteRange | undefined): Promise<Uint8Array> {
  const { from, to } = await boundsOf(handle, range);
  const bytes = Buffer.allocUnsafe(to - from);
  const length = await fill(handle, bytes, from);
  return bytes.subarray(0, length);
}

/**
 * The file piece by piece; it is closed behind the last one, or where reading is left off.
 *
 * @param call gives each read its deadline
 */
export async function chunksOf(
  handle: FileHandle,
  range: ByteRange | undefined,
  call: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<AsyncIterable<Uint8Array>> {
  const { from, to } = await boundsOf(handle, range);
  return (async function* () {
    try {
      for (let at = from; at < to; ) {
        const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, to - at));
        const length = await call(() => fill(handle, chunk, at));
        if (length === 0) return;
        yield chunk.subarray(0, length);
        at += length;
      }
    } finally {
      await handle.close();
    }
  })();
}

async function boundsOf(
  handle: FileHandle,
  range: ByteRange | undefined,
): Promise<{ readonly from: number; readonly to: number }> {
  const { size } = await handle.stat();
  const to = Math.min(range?.to ?? size, size);
  return { from: Math.min(range?.from ?? 0, to), to };
}

/** @returns how much there was */
async function fill(handle: FileHandle, bytes: Buffer, from: number): Promise<number> {
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await handle.read(bytes, length, bytes.length - length, from + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}
