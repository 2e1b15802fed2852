import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { ERROR_CODES } from '../../core/protocol/index.ts';
import { startServer } from '../harness/server.ts';
import { TestClient } from '../signaling/client.ts';

const server = await startServer({ MILLRACE_WORKERS: '1', MILLRACE_MAX_BAD_MESSAGES: '100' });
after(() => server.stop());

const OFFER = readFileSync(
  new URL('../../core/sdp/offers/chromium-publish-audio-video.sdp', import.meta.url),
  'utf8',
);
const SECTION = 'm=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:96 VP8/90000\r\n';

const offers: readonly (readonly [string, string, number])[] = [
  ['65 sections', OFFER + SECTION.repeat(63), ERROR_CODES.invalid_sdp],
  ['more than 8192 lines', OFFER + 'a=x\r\n'.repeat(8200), ERROR_CODES.invalid_sdp],
  ['more than 131072 characters', OFFER + 'x'.repeat(131_072), ERROR_CODES.too_large],
  ['one long line', `${OFFER}a=${'x'.repeat(120_000)}\r\n`, 0],
  ['no SDP at all', 'x'.repeat(131_072), ERROR_CODES.invalid_sdp],
  ['NULs', '\0'.repeat(40_000), ERROR_CODES.invalid_sdp],
  ['only line ends', '\r\n'.repeat(60_000), ERROR_CODES.invalid_sdp],
  ['a prototype’s names', OFFER.replaceAll('a=mid:0', 'a=__proto__:0\r\na=constructor\r\na=mid:0'), 0],
];

test('offers beyond their bounds are refused by a running server, which goes on', async () => {
  const client = await TestClient.connect(server.wsUrl);
  for (const [what, sdp, expected] of offers) {
    const startMs = performance.now();
    const reply = await client.publish(what, sdp);
    assert.equal(reply.err, expected, `${what}: ${reply.err_msg}`);
    assert.ok(performance.now() - startMs < 2000, what);
  }
  assert.equal((await client.publish('fine', OFFER)).err, 0);
  await client.leave();
});

test('requests above the rate meet the limit that the setting gives, and metrics say so', async () => {
  const client = await TestClient.connect(server.wsUrl);
  let refused = 0;
  for (let count = 0; count < 350; count += 1) {
    const { err } = await client.heartbeat();
    if (err === ERROR_CODES.too_many) refused += 1;
    else assert.equal(err, 0);
  }
  assert.ok(refused > 0);
  assert.equal(await server.metric('millrace_signaling_refused_total', 'limit="request_rate"'), refused);
  await client.leave();
});
