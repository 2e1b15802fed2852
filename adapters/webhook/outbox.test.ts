import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { Registry as MetricsRegistry } from 'prom-client';
import { type WebhookEvent, webhookEvent } from '../../core/webhook/index.ts';
import { Outbox, type OutboxOptions } from './outbox.ts';

const SECRET = 'a secret that the receiver knows too, and nobody else';

interface Received {
  readonly event: WebhookEvent;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** A receiver on loopback, whose answer a test changes, and an outbox for it. */
async function start(t: TestContext, options: Partial<OutboxOptions> = {}) {
  const received: Received[] = [];
  const receiver = { answer: (response: ServerResponse, _event: WebhookEvent) => void response.end() };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const event: WebhookEvent = JSON.parse(body);
    received.push({ event, body, headers: request.headers });
    receiver.answer(response, event);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const metrics = new MetricsRegistry();
  const logs: Record<string, unknown>[] = [];
  const outbox = new Outbox({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/news`,
    secret: SECRET,
    log: pino({}, { write: (line: string) => logs.push(JSON.parse(line)) }),
    metrics,
    ...options,
    times: { timeoutMs: 20_000, firstPauseMs: 20, longestPauseMs: 40, giveUpMs: 600_000, ...options.times },
  });
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await outbox.close();
  });
  const outcomes = async (outcome: string) =>
    (await metrics.getSingleMetric('millrace_webhook_deliveries_total')?.get())?.values.find(
      ({ labels }) => labels.outcome === outcome,
    )?.value ?? 0;
  return { outbox, received, receiver, logs, outcomes };
}

function started(stream: string, epoch = 1): WebhookEvent {
  return webhookEvent(
    { type: 'stream.started', data: { stream, epoch, session: 's', subject: 'alice', tracks: [] } },
    Date.UTC(2026, 2, 1),
  );
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`waited 20 s until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('an event is delivered once, and signed with the time of the attempt', async (t) => {
  const { outbox, received, outcomes } = await start(t);
  const beforeS = Math.floor(Date.now() / 1000);
  outbox.tell(started('a'));
  await until('it is delivered', async () => (await outcomes('delivered')) === 1);
  const [{ body, headers, event } = assert.fail()] = received;
  assert.equal(received.length, 1);
  assert.deepEqual(event, started('a'));
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(headers['millrace-event'], 'stream.started');
  const [, time = '', mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['millrace-signature'])) ?? [];
  assert.ok(Number(time) >= beforeS && Number(time) <= Date.now() / 1000);
  assert.equal(mac, createHmac('sha256', SECRET).update(`${time}.${body}`).digest('hex'));
});

test('what is not taken is tried again with the same id, and holds up its own stream only', async (t) => {
  const { outbox, received, receiver, logs } = await start(t);
  let failures = 3;
  receiver.answer = (response, { data }) => {
    if (data.stream === 'a' && failures-- > 0) response.writeHead(500);
    response.end();
  };
  outbox.tell(started('a', 1));
  outbox.tell(started('a', 2));
  outbox.tell(started('b', 3));
  await until('all is delivered', () => received.length === 6);
  const seen = received.map(({ event: { data } }) => ('epoch' in data ? data.epoch : 0));
  assert.deepEqual(
    seen.filter((epoch) => epoch !== 3),
    [1, 1, 1, 1, 2],
  );
  assert.ok(seen.indexOf(3) <= 1, `b waited for a: ${seen}`);
  assert.equal(new Set(received.map(({ event }) => event.id)).size, 3);
  await until('it is said', () => logs.some(({ msg }) => msg === 'webhooks are taken again'));
  assert.ok(logs.some(({ msg }) => String(msg).startsWith('webhooks are not taken')));
});

test('a receiver that hangs is given up after the time-out, and asked again', async (t) => {
  const { outbox, received, receiver, outcomes } = await start(t, { times: { timeoutMs: 100 } });
  receiver.answer = () => undefined;
  outbox.tell(started('a'));
  await until('it is tried twice', () => received.length >= 2);
  receiver.answer = (response) => void response.end();
  await until('it is delivered', async () => (await outcomes('delivered')) === 1);
});

test('what waits is bounded: the oldest goes, and is counted', async (t) => {
  const { outbox, received, receiver, outcomes } = await start(t, { maxWaiting: 20 });
  const held: ServerResponse[] = [];
  receiver.answer = (response) => void held.push(response);
  for (let index = 0; index < 50; index += 1) outbox.tell(started(`s${index}`, index));
  assert.equal(await outcomes('dropped'), 30);
  await until('eight are held', () => held.length === 8);
  receiver.answer = (response) => void response.end();
  for (const response of held) response.end();
  await until('the rest is delivered', async () => (await outcomes('delivered')) === 20);
  const streams = new Set(received.map(({ event: { data } }) => data.stream));
  assert.ok(streams.has('s0') && streams.has('s49') && !streams.has('s8'), [...streams].join(' '));
});

test('what nobody took for too long is given up', async (t) => {
  const { outbox, receiver, outcomes, logs } = await start(t, { times: { giveUpMs: 100 } });
  receiver.answer = (response) => void response.writeHead(404).end();
  outbox.tell(started('a'));
  await until('it is given up', async () => (await outcomes('dropped')) === 1);
  assert.ok(logs.some(({ msg, why }) => msg === 'webhook given up' && why === 'HTTP status 404'));
  assert.equal(JSON.stringify(logs).includes(SECRET), false);
});

test('at the end what is due is tried, and the end does not wait for long', async (t) => {
  const { outbox, received, receiver } = await start(t);
  outbox.tell(started('a'));
  await outbox.close();
  assert.equal(received.length, 1);
  outbox.tell(started('b'));
  const other = await start(t);
  other.receiver.answer = () => undefined;
  other.outbox.tell(started('c'));
  const beganMs = performance.now();
  await other.outbox.close();
  assert.ok(performance.now() - beganMs < 10_000);
  assert.equal(received.length, 1);
  receiver.answer = (response) => void response.end();
});
