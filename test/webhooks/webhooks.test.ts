import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import type { WebhookEvent } from '../../core/webhook/index.ts';
import { eventually } from '../harness/condition.ts';
import { Fixture } from '../harness/fixture.ts';
import { TestClient } from '../signaling/client.ts';

const SECRET = 'a secret that the application knows too, and nobody else';
const OFFER = readFileSync(
  new URL('../../core/sdp/offers/chromium-publish-audio-video.sdp', import.meta.url),
  'utf8',
);

const told: { event: WebhookEvent; body: string; signature: string }[] = [];
let failures = 1;
const application = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  if (failures-- > 0) {
    response.writeHead(503).end();
    return;
  }
  told.push({ event: JSON.parse(body), body, signature: String(request.headers['millrace-signature']) });
  response.end();
});
application.listen(0, '127.0.0.1');
await once(application, 'listening');
after(() => application.close());
const fixture = await Fixture.start({
  MILLRACE_WORKERS: '1',
  MILLRACE_WEBHOOK_URL: `http://127.0.0.1:${(application.address() as AddressInfo).port}/news`,
  MILLRACE_WEBHOOK_SECRET: SECRET,
});

test('a running server tells an application of a stream, signed, also when it is taken at the second attempt', async () => {
  const client = await TestClient.connect(`${fixture.server.wsUrl}/`);
  assert.equal((await client.publish('told', OFFER)).err, 0);
  assert.equal((await client.request('stream.close', 'told')).err, 0);
  await eventually('both to be told', () => told.length === 2, { timeoutMs: 20_000 });
  assert.deepEqual(
    told.map(({ event }) => [event.type, event.data.stream]),
    [
      ['stream.started', 'told'],
      ['stream.ended', 'told'],
    ],
  );
  for (const { body, signature } of told) {
    const [, time, mac] = /^t=(\d+),v1=(.+)$/.exec(signature) ?? [];
    assert.equal(mac, createHmac('sha256', SECRET).update(`${time}.${body}`).digest('hex'));
  }
  assert.equal(await fixture.server.metric('millrace_webhook_deliveries_total', 'outcome="delivered"'), 2);
  await client.leave();
});
