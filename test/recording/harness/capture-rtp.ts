/**
 * Renews the captures of recorder/rtp/harness/captures: what browsers send, as a pipe brings it. Run it as
 *   MILLRACE_WORKER_BIN=... test/harness/in-namespace.sh node test/recording/harness/capture-rtp.ts [NAME...]
 * and look at what test/recording/rtp-decode.test.ts makes of the new ones.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createWorker } from 'mediasoup';
import type { DtlsFingerprint, MediaKind, RouterRtpCodecCapability } from 'mediasoup/types';
import type { Browser, Page } from 'puppeteer-core';
import type { Codec } from '../../../core/channel/media.ts';
import { answerPublish, parseOffer, planPublish } from '../../../core/sdp/index.ts';
import { routerCodecs } from '../../../media-server/router-codecs.ts';
import { type CapturedPacket, encodeCapture } from '../../../recorder/rtp/harness/capture.ts';
import { type BrowserName, launchBrowser } from '../../harness/browser.ts';

interface Wish {
  readonly browser: BrowserName;
  readonly codec: Codec;
  readonly seconds: number;
  readonly size?: { readonly width: number; readonly height: number };
  readonly sendEncodings?: readonly object[];
  readonly keyFrameEveryMs?: number;
  /** Evaluated in the page at these times. */
  readonly steps?: readonly { readonly atMs: number; readonly expression: string }[];
}

const LARGE = { width: 640, height: 360 };
const activate = (active: boolean) =>
  `(() => { const s = pc.getSenders().find(({ track }) => track.kind === 'video'), p = s.getParameters(); p.encodings[1].active = ${active}; return s.setParameters(p); })()`;
const scalable = (scalabilityMode: string, maxBitrate: number) => [{ scalabilityMode, maxBitrate }];

const WISHES: Readonly<Record<string, Wish>> = {
  opus: { browser: 'chromium', codec: 'opus', seconds: 3 },
  vp8: { browser: 'chromium', codec: 'VP8', seconds: 4, keyFrameEveryMs: 1500 },
  'vp8-firefox': { browser: 'firefox', codec: 'VP8', seconds: 4, keyFrameEveryMs: 1500 },
  'vp8-temporal': {
    browser: 'chromium',
    codec: 'VP8',
    seconds: 5,
    sendEncodings: scalable('L1T3', 150_000),
    keyFrameEveryMs: 2500,
  },
  'vp8-simulcast': {
    browser: 'chromium',
    codec: 'VP8',
    seconds: 12,
    size: LARGE,
    sendEncodings: [
      { rid: 'l', scaleResolutionDownBy: 4, maxBitrate: 40_000 },
      { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 120_000 },
    ],
    keyFrameEveryMs: 2000,
    steps: [
      { atMs: 5000, expression: activate(false) },
      { atMs: 8500, expression: activate(true) },
    ],
  },
  vp9: { browser: 'chromium', codec: 'VP9', seconds: 4, keyFrameEveryMs: 1500 },
  'vp9-firefox': { browser: 'firefox', codec: 'VP9', seconds: 4, keyFrameEveryMs: 1500 },
  'vp9-temporal': {
    browser: 'chromium',
    codec: 'VP9',
    seconds: 5,
    sendEncodings: scalable('L1T3', 150_000),
    keyFrameEveryMs: 2500,
  },
  'vp9-spatial': {
    browser: 'chromium',
    codec: 'VP9',
    seconds: 5,
    size: LARGE,
    sendEncodings: scalable('L3T3', 400_000),
    keyFrameEveryMs: 2500,
  },
  'vp9-spatial-key': {
    browser: 'chromium',
    codec: 'VP9',
    seconds: 5,
    size: LARGE,
    sendEncodings: scalable('L3T3_KEY', 400_000),
    keyFrameEveryMs: 2500,
  },
  av1: { browser: 'chromium', codec: 'AV1', seconds: 4, keyFrameEveryMs: 1500 },
  'av1-layers': {
    browser: 'chromium',
    codec: 'AV1',
    seconds: 4,
    size: LARGE,
    sendEncodings: scalable('L2T2', 250_000),
    keyFrameEveryMs: 2000,
  },
};

const ADDRESS = '10.99.0.1';
const COUNTER_SOURCE = readFileSync(new URL('./counter-source.js', import.meta.url), 'utf8');

async function capture(name: string, wish: Wish, browser: Browser): Promise<void> {
  const kind: MediaKind = wish.codec === 'opus' ? 'audio' : 'video';
  const page = await browser.newPage();
  await page.evaluate(COUNTER_SOURCE);
  const offer = parseOffer(await offerOf(page, kind, wish));
  const worker = await createWorker({ workerBin: process.env.MILLRACE_WORKER_BIN ?? '' });
  const mediaCodecs: RouterRtpCodecCapability[] = routerCodecs([wish.codec]);
  const router = await worker.createRouter({ mediaCodecs });
  const transport = await router.createWebRtcTransport({ listenInfos: [{ protocol: 'udp', ip: ADDRESS }] });
  const plan = planPublish(offer, { codecs: [wish.codec], router: router.rtpCapabilities });
  const [track] = plan.tracks;
  if (track === undefined) throw new Error(`${name}: nothing is offered`);
  const fingerprints = offer.fingerprints.slice(0, 1) as DtlsFingerprint[];
  await transport.connect({ dtlsParameters: { role: 'client', fingerprints } });
  const producer = await transport.produce({ kind, rtpParameters: track.rtpParameters });
  const direct = await router.createDirectTransport();
  const consumer = await direct.consume({
    producerId: producer.id,
    rtpCapabilities: router.rtpCapabilities,
    pipe: true,
  });
  const startedAt = performance.now();
  const packets: CapturedPacket[] = [];
  consumer.on('rtp', (bytes) => packets.push({ atMs: performance.now() - startedAt, bytes }));
  const answer = answerPublish(
    offer,
    plan,
    {
      iceParameters: transport.iceParameters,
      iceCandidates: transport.iceCandidates,
      fingerprints: transport.dtlsParameters.fingerprints,
    },
    { sessionId: '1', sessionVersion: 1 },
  );
  await page.evaluate(`pc.setRemoteDescription({ type: 'answer', sdp: ${JSON.stringify(answer)} })`);
  const steps = (wish.steps ?? []).map(({ atMs, expression }) =>
    setTimeout(() => void page.evaluate(expression), atMs),
  );
  const asking = wish.keyFrameEveryMs;
  const asked = asking ? setInterval(() => void consumer.requestKeyFrame(), asking) : undefined;
  await new Promise((resolve) => setTimeout(resolve, wish.seconds * 1000));
  clearInterval(asked);
  for (const step of steps) clearTimeout(step);
  const [codec] = consumer.rtpParameters.codecs;
  const file = encodeCapture({
    track: {
      track: 1,
      kind,
      codec: wish.codec,
      clockRateHz: codec?.clockRate ?? 0,
      producerId: name,
      payloadType: codec?.payloadType ?? 0,
      ssrcs: (consumer.rtpParameters.encodings ?? []).map(({ ssrc }) => ssrc ?? 0),
      muted: false,
    },
    packets,
  });
  writeFileSync(
    new URL(`../../../recorder/rtp/harness/captures/${name}.rtp`, import.meta.url).pathname,
    file,
  );
  console.log(`${name}: ${packets.length} packets, ${file.length} bytes`);
  worker.close();
  await page.close();
}

async function offerOf(page: Page, kind: MediaKind, { codec, size, sendEncodings }: Wish): Promise<string> {
  const sdp = await page.evaluate(`(async () => {
    const source = await counterSource.start(${JSON.stringify(size ?? {})});
    globalThis.pc = new RTCPeerConnection();
    const [track] = source.stream.getTracks().filter(({ kind }) => kind === '${kind}');
    const sendEncodings = ${JSON.stringify(sendEncodings ?? null)};
    const transceiver = pc.addTransceiver(track, { direction: 'sendonly', ...(sendEncodings && { sendEncodings }) });
    const offered = RTCRtpReceiver.getCapabilities('${kind}').codecs;
    const wanted = offered.filter(({ mimeType }) => mimeType.toLowerCase() === '${kind}/${codec.toLowerCase()}');
    transceiver.setCodecPreferences([...wanted, ...offered.filter(({ mimeType }) => /rtx$/i.test(mimeType))]);
    await pc.setLocalDescription();
    return pc.localDescription.sdp;
  })()`);
  return String(sdp);
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(WISHES);
for (const name of names) {
  const wish = WISHES[name];
  if (wish === undefined) throw new Error(`${name} is none of ${Object.keys(WISHES).join(', ')}`);
  const browser = await launchBrowser(wish.browser);
  await capture(name, wish, browser).finally(() => browser.close());
}
process.exit(0);
