// The peer: what a server costs that only does the media. WebSocket, mediasoup and the same SDP functions;
// no sessions, no registry, no limits, nothing ever checked or released but by the end of a socket.
//
// Use: bare-server.ts WORKER_BIN verbatim|plain. `plain` calls consume() as it comes and so serves only
// viewers whose payload types and extension ids are mediasoup's own; any worker can do that.

import { createServer as createPlainServer, type Server } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createWorker } from 'mediasoup';
import type { Producer, WebRtcTransport } from 'mediasoup/types';
import { type WebSocket, WebSocketServer } from 'ws';
import { makeSelfSigned } from '../cli/tls/self-signed.ts';
import type { Codec } from '../core/channel/media.ts';
import { answerPlay, answerPublish, parseOffer, planPlay, planPublish } from '../core/sdp/index.ts';
import type { Offer, PlayTrack, PublishTrack } from '../core/sdp/types.ts';
import { routerCodecs } from '../media-server/router-codecs.ts';
import { verbatimConsume } from '../media-server/verbatim-consume.ts';

const CODECS: readonly Codec[] = ['opus', 'VP8', 'H264', 'VP9', 'AV1'];
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;
const [, , workerBin = '', consuming = 'verbatim'] = process.argv;

const worker = await createWorker({ workerBin, logLevel: 'warn' });
const router = await worker.createRouter({ mediaCodecs: routerCodecs(CODECS) });
const webRtcServer = await worker.createWebRtcServer({
  listenInfos: (['udp', 'tcp'] as const).map((protocol) => ({
    protocol,
    ip: process.env.BARE_RTC_IP ?? '127.0.0.1',
    sendBufferSize: SOCKET_BUFFER_BYTES,
    recvBufferSize: SOCKET_BUFFER_BYTES,
  })),
});

interface Track {
  readonly plan: PublishTrack;
  readonly producer: Producer;
}
const streams = new Map<string, readonly Track[]>();
const MAX_BITRATE_BPS = 20_000_000;
const answerOptions = { sessionId: '1', sessionVersion: 1, maxBitrateBps: MAX_BITRATE_BPS };

async function openTransport(socket: WebSocket): Promise<WebRtcTransport> {
  const transport = await router.createWebRtcTransport({
    webRtcServer,
    initialAvailableOutgoingBitrate: 1_500_000,
  });
  socket.once('close', () => transport.close());
  return transport;
}

function describe({ iceParameters, iceCandidates, dtlsParameters }: WebRtcTransport) {
  return { iceParameters, iceCandidates, fingerprints: dtlsParameters.fingerprints };
}

function connect(transport: WebRtcTransport, offer: Offer): Promise<void> {
  return transport.connect({ dtlsParameters: { role: 'client', fingerprints: [...offer.fingerprints] } });
}

async function publish(name: string, offer: Offer, socket: WebSocket): Promise<string> {
  const plan = planPublish(offer, { codecs: CODECS, router: router.rtpCapabilities });
  const transport = await openTransport(socket);
  const [, ...tracks] = await Promise.all([
    Promise.all([connect(transport, offer), transport.setMaxIncomingBitrate(MAX_BITRATE_BPS)]),
    ...plan.tracks.map(async (track) => ({ plan: track, producer: await transport.produce(track) })),
  ]);
  streams.set(name, tracks);
  return answerPublish(offer, plan, describe(transport), answerOptions);
}

async function play(name: string, offer: Offer, socket: WebSocket): Promise<string> {
  const tracks = streams.get(name);
  if (!tracks) throw new Error(`no stream ${name}`);
  const plan = planPlay(
    offer,
    tracks.map(({ plan: { kind, codec }, producer: { id, consumableRtpParameters } }) => ({
      id,
      kind,
      codec,
      consumableRtpParameters,
    })),
  );
  const transport = await openTransport(socket);
  const [, ...played] = await Promise.all([
    connect(transport, offer),
    ...plan.tracks.map(async (track) => {
      const producer = tracks.find((one) => one.producer.id === track.producerId)?.producer as Producer;
      const consumer =
        consuming === 'verbatim'
          ? await verbatimConsume(transport, producer, track, { paused: false })
          : await consumeAsItComes(transport, track);
      return { mid: track.mid, streamId: 'bare', rtpParameters: consumer.rtpParameters };
    }),
  ]);
  return answerPlay(offer, plan, describe(transport), played, answerOptions);
}

/** @throws Error when mediasoup would send other numbers than the viewer offered */
async function consumeAsItComes(transport: WebRtcTransport, track: PlayTrack) {
  const { producerId, rtpCapabilities, mid, consumable } = track;
  const consumer = await transport.consume({ producerId, rtpCapabilities, mid });
  const numbers = ({ codecs, headerExtensions = [] }: typeof consumable) =>
    JSON.stringify([
      codecs.map(({ payloadType }) => payloadType),
      headerExtensions.map(({ uri, id }) => `${id} ${uri}`).sort(),
    ]);
  if (numbers(consumer.rtpParameters) !== numbers(consumable)) {
    throw new Error(
      `the viewer’s numbers are not mediasoup’s: ${numbers(consumable)}, ${numbers(consumer.rtpParameters)}`,
    );
  }
  return consumer;
}

function serve(server: Server): Promise<number> {
  new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
    socket.on('message', async (text) => {
      const { method, stream, data } = JSON.parse(String(text));
      const reply = { version: '1.0', err: 0, err_msg: 'success', method, stream, session: 'bare', data: {} };
      try {
        const act = { 'stream.publish': publish, 'stream.play': play }[method as string];
        if (act) reply.data = { sdp: await act(stream, parseOffer(data.sdp), socket) };
      } catch (error) {
        Object.assign(reply, { err: 1, err_msg: String(error) });
      }
      socket.send(JSON.stringify(reply));
    });
  });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}

const dayMs = 86_400_000;
const certificate = makeSelfSigned({
  names: ['localhost', '127.0.0.1'],
  notBefore: new Date(Date.now() - dayMs),
  notAfter: new Date(Date.now() + dayMs),
});
process.once('disconnect', () => process.exit(0));
process.send?.({
  port: await serve(createPlainServer()),
  securePort: await serve(createServer(certificate)),
  workerPid: worker.pid,
});
