import type { RtpEncodingParameters } from 'mediasoup/types';
import type { Codec } from '../channel/media.ts';
import { SIMULCAST_CODECS } from './codec.ts';
import { DEPENDENCY_DESCRIPTOR_URI, hasUri, type KnownExtension, MID_URI, RID_URI } from './extension.ts';
import { invalidSdp } from './invalid-sdp.ts';
import { describeSection } from './offer-section.ts';
import type { OfferSection } from './types.ts';

/** A track as far as it is negotiated when its encodings are planned. */
export interface NegotiatedTrack {
  readonly section: OfferSection;
  readonly codec: Codec;
  readonly extensions: readonly KnownExtension[];
  /** An RTX payload type is negotiated. */
  readonly retransmits: boolean;
}

/**
 * How the worker finds the track that a packet belongs to: by rid where the rid extension is negotiated, else
 * by SSRC, else, with an empty encoding, by mid and payload type.
 *
 * @throws MillraceError invalid_sdp when it could not.
 */
export function planEncodings(track: NegotiatedTrack): RtpEncodingParameters[] {
  const { section, extensions, retransmits } = track;
  const { ssrc } = section;
  const layers = scalabilityMode(track);
  if (section.rids.length > 0 && hasUri(extensions, RID_URI)) {
    return section.rids.map((rid) => ({ rid, ...layers }));
  }
  if (!ssrc && !hasUri(extensions, MID_URI)) {
    throw invalidSdp(
      `${describeSection(section.index, section.type, section.mid)}: neither a=ssrc nor the header extension ${MID_URI} is offered, so its packets could not be recognised`,
    );
  }
  // An SSRC without its RTX SSRC would have retransmissions dropped; mid and payload type find both.
  if (!ssrc || (retransmits && ssrc.rtx === undefined && hasUri(extensions, MID_URI))) return [{ ...layers }];
  return [
    {
      ssrc: ssrc.media,
      ...(retransmits && ssrc.rtx !== undefined ? { rtx: { ssrc: ssrc.rtx } } : {}),
      ...layers,
    },
  ];
}

/**
 * The layers to be ready for. SDP does not count a sender's layers, so this is the most that can be used:
 * mediasoup drops packets of layers above those announced, and of those announced it chooses among the ones
 * that carry bits, so that a sender with fewer is forwarded whole.
 *
 * That a sender uses SVC shows in the offer all the same: browsers offer the dependency descriptor where they
 * send layers. Without that sign VP9 and AV1 are taken for one layer, since mediasoup forwards nothing of a
 * layered stream to a viewer whose estimate is below its lowest layer.
 *
 * - VP9: `L3T3`, not `_KEY`: taken for K-SVC, a full-SVC sender's lower layers would be missing, while K-SVC
 *   taken for full SVC only has unneeded packets sent along.
 * - AV1: `L1T3`. mediasoup does not forward the descriptor, without which Chromium decodes nothing of several
 *   spatial layers (Firefox does), so only the lowest of them goes out. Where the descriptor was not
 *   negotiated mediasoup sees neither layers nor key frames and would wait for a key frame for ever: there it
 *   is one layer.
 * - Simulcast: `L1T3`, as Chromium's and Firefox's VP8 streams have three and two temporal layers by
 *   themselves; without it only the lowest, a quarter of the frames, would be forwarded.
 */
function scalabilityMode({
  section,
  codec,
  extensions,
}: NegotiatedTrack): Pick<RtpEncodingParameters, 'scalabilityMode'> {
  const offered = hasUri(section.extensions, DEPENDENCY_DESCRIPTOR_URI);
  const negotiated = hasUri(extensions, DEPENDENCY_DESCRIPTOR_URI);
  if (codec === 'VP9') return offered ? { scalabilityMode: 'L3T3' } : {};
  if (codec === 'AV1') return negotiated ? { scalabilityMode: 'L1T3' } : {};
  const simulcast = section.rids.length > 1 && hasUri(extensions, RID_URI);
  return simulcast && SIMULCAST_CODECS.includes(codec) ? { scalabilityMode: 'L1T3' } : {};
}
