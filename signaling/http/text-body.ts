import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { MillraceError } from '../../core/protocol/index.ts';

/**
 * The whole body of a request, which nobody may have begun to read. How long that may take, its server bounds.
 * @throws MillraceError `too_large`, `malformed` for what is not UTF-8 or ends too early
 */
export async function readText(request: IncomingMessage, maxBytes: number): Promise<string> {
  const tooLarge = () =>
    new MillraceError('too_large', `the body has more than ${maxBytes} bytes; send less`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // Buffers, as no encoding was set.
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw new MillraceError('malformed', 'the body ended too early; send it whole', { cause });
  }
  if (bytes > maxBytes) throw tooLarge();
  const body = Buffer.concat(chunks);
  if (!isUtf8(body)) throw new MillraceError('malformed', 'the body is not UTF-8');
  return body.toString();
}
