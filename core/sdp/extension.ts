import type { RtpHeaderExtensionUri } from 'mediasoup/types';
import type { Codec } from '../channel/media.ts';
import type { OfferExtension, OfferSection } from './types.ts';

export const MID_URI = 'urn:ietf:params:rtp-hdrext:sdes:mid';
export const RID_URI = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';
export const TRANSPORT_CC_URI = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
export const DEPENDENCY_DESCRIPTOR_URI =
  'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension';

/** Ids of the one-byte form (RFC 8285 section 4.2); the worker writes no others. */
export const MAX_EXTENSION_ID = 14;

/** An extension of the offer whose URI is one of mediasoup's. */
export type KnownExtension = OfferExtension & { readonly uri: RtpHeaderExtensionUri };

/**
 * The offered extensions that may be answered, with the offer's ids.
 *
 * @param half - what the offerer does with the packets that carry them.
 * @param knownUris - those that mediasoup has for this track.
 */
export function commonExtensions(
  section: OfferSection,
  half: 'sends' | 'receives',
  codec: Codec,
  knownUris: readonly RtpHeaderExtensionUri[],
): KnownExtension[] {
  const otherHalf = half === 'sends' ? 'recvonly' : 'sendonly';
  return section.extensions.filter(
    (extension): extension is KnownExtension =>
      knownUris.some((uri) => uri === extension.uri) &&
      extension.direction !== otherHalf &&
      extension.direction !== 'inactive' &&
      (extension.uri !== DEPENDENCY_DESCRIPTOR_URI || carriesDependencyDescriptor(section, codec)),
  );
}

/**
 * The dependency descriptor is for AV1 only, where mediasoup knows layers by nothing else. Its structure on
 * key frames is longer than a one-byte element, so that without a=extmap-allow-mixed it would be left out
 * exactly where it is needed.
 */
function carriesDependencyDescriptor(section: OfferSection, codec: Codec): boolean {
  return codec === 'AV1' && section.allowsMixedExtensions;
}

/** The answer's side of an extension's direction (RFC 8285 section 6). */
export function answeredDirection(extension: OfferExtension): string | undefined {
  if (extension.direction === 'sendonly') return 'recvonly';
  if (extension.direction === 'recvonly') return 'sendonly';
  return undefined;
}

export function hasUri(extensions: readonly { readonly uri: string }[], uri: string): boolean {
  return extensions.some((extension) => extension.uri === uri);
}
