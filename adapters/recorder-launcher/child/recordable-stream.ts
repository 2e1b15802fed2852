import type { Codec } from '../../../core/channel/media.ts';
import { MillraceError } from '../../../core/protocol/error.ts';
import type { StreamName } from '../../../core/protocol/stream-name.ts';
import type { StreamRecord } from '../../../core/registry/record.ts';
import type { Registry } from '../../../core/registry/registry.ts';

/** For a holder to say what it carries. */
const DESCRIBE_MS = 2000;
/** What WebM holds. */
const RECORDABLE: ReadonlySet<Codec> = new Set(['opus', 'VP8', 'VP9', 'AV1']);

/**
 * The stream, once its holder has said what it carries.
 *
 * @throws MillraceError `stream_not_found` when nobody holds it, or says what it carries in time;
 *   `codec_not_recordable` when one of its tracks cannot stand in a WebM file
 */
export async function recordableStream(
  name: StreamName,
  registry: Registry,
  timeoutMs: number,
): Promise<StreamRecord> {
  let stream = await registry.findStream(name);
  if (stream?.tracks.length === 0) stream = await described(name, registry, Math.min(DESCRIBE_MS, timeoutMs));
  if (stream === undefined || stream.tracks.length === 0) {
    throw new MillraceError('stream_not_found', `nobody publishes "${name}"; publish it first`);
  }
  const other = stream.tracks.find(({ codec }) => !RECORDABLE.has(codec));
  if (other === undefined) return stream;
  throw new MillraceError(
    'codec_not_recordable',
    `"${name}" has ${other.codec}, which WebM files cannot hold; publish it with VP8, VP9 or AV1 (leave H264 out of MILLRACE_CODECS, or behind the others)`,
  );
}

function described(
  name: StreamName,
  registry: Registry,
  timeoutMs: number,
): Promise<StreamRecord | undefined> {
  return new Promise((resolve) => {
    const settle = (stream: StreamRecord | undefined) => {
      clearTimeout(timer);
      stop();
      resolve(stream);
    };
    const timer = setTimeout(() => settle(undefined), timeoutMs);
    const stop = registry.watchStream(name, (change) => {
      if (change.type === 'released') settle(undefined);
      else if (change.type === 'described') settle(change.stream);
    });
  });
}
