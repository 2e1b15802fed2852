/**
 * What a browser can be made to offer, each a function that runs in a page. `capture.ts` stores what they
 * offer as files; test/sdp-browser.test.ts has each browser accept the answers.
 */
export interface Page {
  readonly pc: RTCPeerConnection;
  readonly stream: MediaStream;
  readonly audio: MediaStreamTrack;
  readonly video: MediaStreamTrack;
  /** Completes the negotiation that `pc` begins, with an answer from elsewhere. */
  readonly negotiate: () => Promise<void>;
  /** Puts codecs in front of a transceiver's others; throws when the browser lacks them all. */
  readonly prefer: (transceiver: RTCRtpTransceiver, names: string[], only?: boolean) => void;
}

/** Leaves `pc` with transceivers, ready for `setLocalDescription()`. */
export type Variant = (page: Page) => void | Promise<void>;

export interface VariantEntry {
  readonly role: 'publish' | 'play';
  readonly run: Variant;
  readonly configuration?: RTCConfiguration;
}

const publish = (run: Variant, configuration?: RTCConfiguration): VariantEntry => ({
  role: 'publish',
  run,
  ...(configuration ? { configuration } : {}),
});
const play = (run: Variant, configuration?: RTCConfiguration): VariantEntry => ({
  role: 'play',
  run,
  ...(configuration ? { configuration } : {}),
});

/**
 * Names are file names: `<browser>-<name>.sdp`. A variant that throws is one that the browser cannot offer.
 */
export const VARIANTS: Readonly<Record<string, VariantEntry>> = {
  'publish-audio-video': publish(({ pc, audio, video, stream }) => {
    pc.addTransceiver(audio, { direction: 'sendonly', streams: [stream] });
    pc.addTransceiver(video, { direction: 'sendonly', streams: [stream] });
  }),
  'publish-video-audio': publish(({ pc, audio, video, stream }) => {
    pc.addTransceiver(video, { direction: 'sendonly', streams: [stream] });
    pc.addTransceiver(audio, { direction: 'sendonly', streams: [stream] });
  }),
  'publish-audio-only': publish(({ pc, audio }) => {
    pc.addTransceiver(audio, { direction: 'sendonly' });
  }),
  'publish-video-only': publish(({ pc, video }) => {
    pc.addTransceiver(video, { direction: 'sendonly' });
  }),
  'publish-sendrecv': publish(({ pc, audio, video, stream }) => {
    pc.addTrack(audio, stream);
    pc.addTrack(video, stream);
  }),
  'publish-no-stream': publish(({ pc, audio, video }) => {
    pc.addTransceiver(audio, { direction: 'sendonly' });
    pc.addTransceiver(video, { direction: 'sendonly' });
  }),
  'publish-max-bundle': publish(
    ({ pc, audio, video }) => {
      pc.addTransceiver(audio, { direction: 'sendonly' });
      pc.addTransceiver(video, { direction: 'sendonly' });
    },
    { bundlePolicy: 'max-bundle' },
  ),
  'publish-max-compat': publish(
    ({ pc, audio, video }) => {
      pc.addTransceiver(audio, { direction: 'sendonly' });
      pc.addTransceiver(video, { direction: 'sendonly' });
    },
    { bundlePolicy: 'max-compat' },
  ),
  'publish-simulcast': publish(({ pc, audio, video, stream }) => {
    pc.addTransceiver(audio, { direction: 'sendonly', streams: [stream] });
    pc.addTransceiver(video, {
      direction: 'sendonly',
      streams: [stream],
      sendEncodings: [
        { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
        { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
        { rid: 'f', maxBitrate: 1_500_000 },
      ],
    });
  }),
  'publish-simulcast-two': publish(({ pc, video }) => {
    pc.addTransceiver(video, {
      direction: 'sendonly',
      sendEncodings: [{ rid: '0', scaleResolutionDownBy: 2 }, { rid: '1' }],
    });
  }),
  'publish-simulcast-paused': publish(({ pc, video }) => {
    pc.addTransceiver(video, {
      direction: 'sendonly',
      sendEncodings: [
        { rid: 'low', scaleResolutionDownBy: 2 },
        { rid: 'high', active: false },
      ],
    });
  }),
  'publish-simulcast-h264': publish(({ pc, video, prefer }) => {
    const transceiver = pc.addTransceiver(video, {
      direction: 'sendonly',
      sendEncodings: [{ rid: 'a', scaleResolutionDownBy: 2 }, { rid: 'b' }],
    });
    prefer(transceiver, ['H264']);
  }),
  'publish-simulcast-vp9-first': publish(({ pc, video, prefer }) => {
    const transceiver = pc.addTransceiver(video, {
      direction: 'sendonly',
      sendEncodings: [{ rid: 'a', scaleResolutionDownBy: 2 }, { rid: 'b' }],
    });
    prefer(transceiver, ['VP9', 'VP8']);
  }),
  'publish-simulcast-without-codec': publish(({ pc, video, prefer }) => {
    const transceiver = pc.addTransceiver(video, {
      direction: 'sendonly',
      sendEncodings: [{ rid: 'a', scaleResolutionDownBy: 2 }, { rid: 'b' }],
    });
    prefer(transceiver, ['VP9', 'AV1'], true);
  }),
  'publish-one-rid': publish(({ pc, video }) => {
    pc.addTransceiver(video, { direction: 'sendonly', sendEncodings: [{ rid: 'only' }] });
  }),
  'publish-vp8': publish(({ pc, audio, video, prefer }) => {
    pc.addTransceiver(audio, { direction: 'sendonly' });
    prefer(pc.addTransceiver(video, { direction: 'sendonly' }), ['VP8'], true);
  }),
  'publish-vp9': publish(({ pc, audio, video, prefer }) => {
    pc.addTransceiver(audio, { direction: 'sendonly' });
    prefer(pc.addTransceiver(video, { direction: 'sendonly' }), ['VP9'], true);
  }),
  'publish-vp9-svc': publish(({ pc, video, prefer }) => {
    const svc = { scalabilityMode: 'L3T3_KEY' } as RTCRtpEncodingParameters;
    prefer(pc.addTransceiver(video, { direction: 'sendonly', sendEncodings: [svc] }), ['VP9'], true);
  }),
  'publish-h264': publish(({ pc, audio, video, prefer }) => {
    pc.addTransceiver(audio, { direction: 'sendonly' });
    prefer(pc.addTransceiver(video, { direction: 'sendonly' }), ['H264'], true);
  }),
  'publish-av1': publish(({ pc, audio, video, prefer }) => {
    pc.addTransceiver(audio, { direction: 'sendonly' });
    prefer(pc.addTransceiver(video, { direction: 'sendonly' }), ['AV1'], true);
  }),
  'publish-av1-svc': publish(({ pc, video, prefer }) => {
    const svc = { scalabilityMode: 'L3T3' } as RTCRtpEncodingParameters;
    prefer(pc.addTransceiver(video, { direction: 'sendonly', sendEncodings: [svc] }), ['AV1'], true);
  }),
  'publish-av1-first': publish(({ pc, video, prefer }) => {
    prefer(pc.addTransceiver(video, { direction: 'sendonly' }), ['AV1', 'VP9', 'H264', 'VP8']);
  }),
  'publish-pcmu-only': publish(({ pc, audio, video, prefer }) => {
    prefer(pc.addTransceiver(audio, { direction: 'sendonly' }), ['PCMU'], true);
    pc.addTransceiver(video, { direction: 'sendonly' });
  }),
  'publish-data-channel': publish(({ pc, audio, video }) => {
    pc.addTransceiver(audio, { direction: 'sendonly' });
    pc.addTransceiver(video, { direction: 'sendonly' });
    pc.createDataChannel('chat');
  }),
  'publish-data-channel-between': publish(async ({ pc, audio, video, negotiate }) => {
    pc.createDataChannel('chat');
    pc.addTransceiver(audio, { direction: 'sendonly' });
    await negotiate();
    pc.addTransceiver(video, { direction: 'sendonly' });
  }),
  'publish-extra-transceivers': publish(({ pc, audio, video }) => {
    pc.addTransceiver('video', { direction: 'recvonly' });
    pc.addTransceiver(audio, { direction: 'sendonly' });
    pc.addTransceiver('audio', { direction: 'inactive' });
    pc.addTransceiver(video, { direction: 'sendonly' });
    pc.addTransceiver(video.clone(), { direction: 'sendonly' });
    pc.addTransceiver(audio.clone(), { direction: 'sendonly' });
  }),
  'publish-ice-restart': publish(async ({ pc, audio, video, negotiate }) => {
    pc.addTransceiver(audio, { direction: 'sendonly' });
    pc.addTransceiver(video, { direction: 'sendonly' });
    await negotiate();
    pc.restartIce();
  }),
  'publish-video-added': publish(async ({ pc, audio, video, negotiate }) => {
    pc.addTransceiver(audio, { direction: 'sendonly' });
    await negotiate();
    pc.addTransceiver(video, { direction: 'sendonly' });
  }),
  'publish-stopped-first': publish(async ({ pc, audio, video, negotiate }) => {
    const first = pc.addTransceiver(audio, { direction: 'sendonly' });
    pc.addTransceiver(video, { direction: 'sendonly' });
    await negotiate();
    first.stop();
  }),
  'publish-stopped-and-replaced': publish(async ({ pc, audio, video, negotiate }) => {
    const first = pc.addTransceiver(audio, { direction: 'sendonly' });
    pc.addTransceiver(video, { direction: 'sendonly' });
    await negotiate();
    first.stop();
    await negotiate();
    pc.addTransceiver(audio.clone(), { direction: 'sendonly' });
  }),
  'publish-muted-direction': publish(async ({ pc, audio, video, negotiate }) => {
    pc.addTransceiver(audio, { direction: 'sendonly' });
    const second = pc.addTransceiver(video, { direction: 'sendonly' });
    await negotiate();
    second.direction = 'inactive';
  }),
  'play-audio-video': play(({ pc }) => {
    pc.addTransceiver('audio', { direction: 'recvonly' });
    pc.addTransceiver('video', { direction: 'recvonly' });
  }),
  'play-video-audio': play(({ pc }) => {
    pc.addTransceiver('video', { direction: 'recvonly' });
    pc.addTransceiver('audio', { direction: 'recvonly' });
  }),
  'play-audio-only': play(({ pc }) => {
    pc.addTransceiver('audio', { direction: 'recvonly' });
  }),
  'play-video-only': play(({ pc }) => {
    pc.addTransceiver('video', { direction: 'recvonly' });
  }),
  'play-sendrecv': play(({ pc, audio, video, stream }) => {
    pc.addTrack(audio, stream);
    pc.addTrack(video, stream);
  }),
  'play-max-bundle': play(
    ({ pc }) => {
      pc.addTransceiver('audio', { direction: 'recvonly' });
      pc.addTransceiver('video', { direction: 'recvonly' });
    },
    { bundlePolicy: 'max-bundle' },
  ),
  'play-data-channel': play(({ pc }) => {
    pc.addTransceiver('audio', { direction: 'recvonly' });
    pc.addTransceiver('video', { direction: 'recvonly' });
    pc.createDataChannel('chat');
  }),
  'play-extra-transceivers': play(({ pc, audio }) => {
    pc.addTransceiver(audio, { direction: 'sendonly' });
    pc.addTransceiver('video', { direction: 'inactive' });
    pc.addTransceiver('audio', { direction: 'recvonly' });
    pc.addTransceiver('audio', { direction: 'recvonly' });
    pc.addTransceiver('video', { direction: 'recvonly' });
    pc.addTransceiver('video', { direction: 'recvonly' });
  }),
  'play-vp8': play(({ pc, prefer }) => {
    prefer(pc.addTransceiver('video', { direction: 'recvonly' }), ['VP8'], true);
  }),
  'play-vp9': play(({ pc, prefer }) => {
    prefer(pc.addTransceiver('video', { direction: 'recvonly' }), ['VP9'], true);
  }),
  'play-h264': play(({ pc, prefer }) => {
    prefer(pc.addTransceiver('video', { direction: 'recvonly' }), ['H264'], true);
  }),
  'play-av1': play(({ pc, prefer }) => {
    prefer(pc.addTransceiver('video', { direction: 'recvonly' }), ['AV1'], true);
  }),
  'play-ice-restart': play(async ({ pc, negotiate }) => {
    pc.addTransceiver('audio', { direction: 'recvonly' });
    pc.addTransceiver('video', { direction: 'recvonly' });
    await negotiate();
    pc.restartIce();
  }),
  'play-video-added': play(async ({ pc, negotiate }) => {
    pc.addTransceiver('audio', { direction: 'recvonly' });
    await negotiate();
    pc.addTransceiver('video', { direction: 'recvonly' });
  }),
  'play-stopped-first': play(async ({ pc, negotiate }) => {
    const first = pc.addTransceiver('audio', { direction: 'recvonly' });
    pc.addTransceiver('video', { direction: 'recvonly' });
    await negotiate();
    first.stop();
  }),
};
