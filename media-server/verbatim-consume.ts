import type { Consumer, Producer, WebRtcTransport } from 'mediasoup/types';
import type { PlayTrack } from '../core/sdp/types.ts';

/** What `consume()` reads of a producer. */
type ProducerView = Pick<Producer, 'id' | 'kind' | 'type' | 'consumableRtpParameters'>;

/** `TransportImpl.getProducerById` is protected: mediasoup's types do not show it, its objects have it. */
interface ProducerLookup {
  getProducerById: (id: string) => ProducerView | undefined;
}

/**
 * Consumes a track with the viewer's own payload types and header extension ids. The patched worker writes
 * them on the wire.
 *
 * mediasoup derives a consumer's numbers from its producer's, which `consume()` looks up through
 * `getProducerById`. For this one call the lookup shows the producer with the viewer's numbers. `consume()`
 * looks it up before it first awaits, so the lookup is restored before anything else can run.
 */
export function verbatimConsume(
  transport: WebRtcTransport,
  producer: Producer,
  track: PlayTrack,
  options: { readonly paused: boolean },
): Promise<Consumer> {
  const lookup = transport as unknown as ProducerLookup;
  const original = lookup.getProducerById;
  const view: ProducerView = {
    id: producer.id,
    kind: producer.kind,
    type: producer.type,
    consumableRtpParameters: track.consumable,
  };
  lookup.getProducerById = (id) => (id === producer.id ? view : original(id));
  try {
    return transport.consume({
      producerId: producer.id,
      rtpCapabilities: track.rtpCapabilities,
      mid: track.mid,
      paused: options.paused,
    });
  } finally {
    lookup.getProducerById = original;
  }
}
