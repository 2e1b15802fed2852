import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as mediasoup from 'mediasoup';
import { workerPath } from './cache.js';
import { checkWorkerBinary } from './identity.ts';

// What it puts on the wire needs a DTLS client, so that is shown by the browser tests.
test('the built worker gives the identity of this version, starts, and opens a WebRtcServer', async () => {
  const workerBin = workerPath();
  await checkWorkerBinary(workerBin);
  const worker = await mediasoup.createWorker({ workerBin });
  try {
    const server = await worker.createWebRtcServer({
      listenInfos: [
        { protocol: 'udp', ip: '127.0.0.1' },
        { protocol: 'tcp', ip: '127.0.0.1' },
      ],
    });
    const router = await worker.createRouter({
      mediaCodecs: [
        { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
        { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
      ],
    });
    const transport = await router.createWebRtcTransport({ webRtcServer: server });
    assert.deepEqual(
      transport.iceCandidates.map(({ protocol, ip }) => `${protocol} ${ip}`),
      ['udp 127.0.0.1', 'tcp 127.0.0.1'],
    );
    const dump = await worker.dump();
    assert.equal(dump.pid, worker.pid);
    assert.deepEqual(dump.webRtcServerIds, [server.id]);
  } finally {
    worker.close();
  }
  assert.equal(worker.died, false);
});
