import { MillraceError } from './error.ts';

export type VideoCodec = 'VP8' | 'VP9' | 'H264' | 'AV1';

export interface PublishOptions {
  /** bit/s for the whole stream; absent or 0 = the server's default. */
  readonly maxBitrateBps?: number;
  /** Sends video in three sizes, so that each viewer gets what its connection carries. VP8 or H264 only. */
  readonly simulcast?: boolean;
  /** Video codecs to offer, and no others, preferred first. Absent = all that the browser has. */
  readonly codecs?: readonly VideoCodec[];
  /** For VP9 and AV1, e.g. `L3T3_KEY` (W3C Scalable Video Coding). Absent = the browser's default. */
  readonly scalabilityMode?: string;
}

const SIMULCAST_CODECS: readonly VideoCodec[] = ['VP8', 'H264'];
/** Repair formats that belong to every video codec; without RTX a lost packet waits for a key frame. */
const REPAIR = new Set(['video/rtx', 'video/red', 'video/ulpfec', 'video/flexfec-03']);

/** One track of each kind at most, which is what a stream holds. */
export function tracksToPublish(source: MediaStream | readonly MediaStreamTrack[]): MediaStreamTrack[] {
  const tracks = 'getTracks' in source ? source.getTracks() : [...source];
  if (tracks.length === 0) throw new MillraceError('invalid_argument', 'no track to publish');
  for (const kind of ['audio', 'video']) {
    const count = tracks.filter((track) => track.kind === kind).length;
    if (count > 1) {
      throw new MillraceError('invalid_argument', `a stream holds one ${kind} track; ${count} were given`);
    }
  }
  return tracks;
}

/** @throws MillraceError `invalid_argument` for options that no server could honour. */
export function checkPublishOptions(options: PublishOptions): void {
  const { maxBitrateBps = 0, simulcast = false, codecs } = options;
  if (!Number.isFinite(maxBitrateBps) || maxBitrateBps < 0) {
    throw new MillraceError('invalid_argument', `maxBitrateBps is ${maxBitrateBps}; give bit/s, 0 or more`);
  }
  if (codecs?.length === 0) {
    throw new MillraceError('invalid_argument', 'codecs is empty; name at least one, or leave it out');
  }
  if (simulcast && codecs && !codecs.some((codec) => SIMULCAST_CODECS.includes(codec))) {
    throw new MillraceError(
      'invalid_argument',
      `simulcast needs VP8 or H264, not ${codecs.join(', ')}; turn simulcast off, or add VP8`,
    );
  }
}

/** Encodings of a video track, lowest first (the order that the simulcast attribute announces). */
export function videoEncodings({ simulcast, scalabilityMode }: PublishOptions): RTCRtpEncodingParameters[] {
  if (simulcast) {
    return [
      { rid: 'l', scaleResolutionDownBy: 4 },
      { rid: 'm', scaleResolutionDownBy: 2 },
      { rid: 'h', scaleResolutionDownBy: 1 },
    ];
  }
  // scalabilityMode is in W3C Scalable Video Coding, which the DOM's types lack.
  return scalabilityMode === undefined ? [{}] : [{ scalabilityMode } as RTCRtpEncodingParameters];
}

/**
 * What `setCodecPreferences` gets: the wanted codecs in the wanted order, then what repairs them.
 * @throws MillraceError `no_common_codec` when the browser has none of them.
 */
export function preferredCodecs<Codec extends { readonly mimeType: string }>(
  available: readonly Codec[],
  wanted: readonly VideoCodec[],
): Codec[] {
  const chosen = wanted.flatMap((name) =>
    available.filter((codec) => codec.mimeType.toLowerCase() === `video/${name.toLowerCase()}`),
  );
  if (chosen.length === 0) {
    throw new MillraceError(
      'no_common_codec',
      `this browser cannot send ${wanted.join(' or ')}; choose another codec`,
    );
  }
  return [...chosen, ...available.filter((codec) => REPAIR.has(codec.mimeType.toLowerCase()))];
}
