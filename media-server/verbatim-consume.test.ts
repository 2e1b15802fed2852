import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Consumer, ConsumerOptions, Producer, RtpParameters, WebRtcTransport } from 'mediasoup/types';
import type { PlayTrack } from '../core/sdp/types.ts';
import { verbatimConsume } from './verbatim-consume.ts';

const OWN: RtpParameters = { codecs: [] };
const VIEWERS: RtpParameters = { codecs: [], headerExtensions: [] };
const producer = { id: 'p', kind: 'video', type: 'simple', consumableRtpParameters: OWN } as Producer;
const other = { ...producer, id: 'other' } as Producer;
const track: PlayTrack = {
  mid: '1',
  kind: 'video',
  producerId: 'p',
  consumable: VIEWERS,
  rtpCapabilities: { codecs: [] },
};

/** A transport whose `consume` looks up as mediasoup's does. */
class FakeTransport {
  seen: (RtpParameters | undefined)[] = [];
  fails = false;
  getProducerById = (id: string) => [producer, other].find((each) => each.id === id);

  consume(options: ConsumerOptions): Promise<Consumer> {
    this.seen = ['p', 'other', 'none'].map((id) => this.getProducerById(id)?.consumableRtpParameters);
    if (this.fails) throw new Error('no');
    return Promise.resolve({ options } as unknown as Consumer);
  }
}

function consume(fake: FakeTransport) {
  return verbatimConsume(fake as unknown as WebRtcTransport, producer, track, { paused: true });
}

describe('Consuming with the viewer’s numbers', () => {
  test('shows them for this producer only, and only during the call', async () => {
    const fake = new FakeTransport();
    const before = fake.getProducerById;
    const pending = consume(fake);
    assert.equal(fake.getProducerById, before);
    assert.deepEqual(fake.seen, [VIEWERS, OWN, undefined]);
    await pending;
  });

  test('asks for the viewer’s section, paused or not as told', async () => {
    const { options } = (await consume(new FakeTransport())) as unknown as { options: ConsumerOptions };
    assert.deepEqual(options, {
      producerId: 'p',
      rtpCapabilities: track.rtpCapabilities,
      mid: '1',
      paused: true,
    });
  });

  test('restores the lookup when the call fails', () => {
    const fake = new FakeTransport();
    fake.fails = true;
    const before = fake.getProducerById;
    assert.throws(() => consume(fake), /no/);
    assert.equal(fake.getProducerById, before);
  });
});
