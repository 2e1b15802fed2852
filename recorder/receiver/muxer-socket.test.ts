import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { MuxerRequest, SourceEvent } from '../source-event.ts';
import { encodeMuxerRequest, sourceEventDecoder } from '../source-stream.ts';
import { EventLog } from './event-log.ts';
import { MuxerSocket } from './muxer-socket.ts';

const HELLO = { type: 'hello', receiver: 'r', unixMs: 1000, atMs: 0 } as const;

async function open(t: TestContext, maxBytes = 1_000_000) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-muxer-socket-'));
  const path = join(folder, 'socket');
  const events = new EventLog({ hello: HELLO, maxBytes });
  const requests: MuxerRequest[] = [];
  const options = {
    path,
    events,
    log: pino({ level: 'silent' }),
    onRequest: (request: MuxerRequest) => requests.push(request),
  };
  const server = await MuxerSocket.listen(options);
  t.after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  const append = (event: SourceEvent) => {
    events.append(event);
    server.send();
  };
  const muxer = async () => {
    const socket = connect(path);
    // Of one that is cut off while it says something.
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  return { options, server, events, requests, append, muxer };
}

function hear(socket: Socket): SourceEvent[] {
  const heard: SourceEvent[] = [];
  const decode = sourceEventDecoder();
  socket.on('data', (bytes) => heard.push(...decode(bytes)));
  return heard;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `still not so: ${condition}`);
    await sleep(2);
  }
}

const tick = (atMs: number): SourceEvent => ({ type: 'tick', atMs });

describe('The socket for muxers', () => {
  test('gives what there was and what comes, each event once', async (t) => {
    const { append, muxer } = await open(t);
    for (let atMs = 0; atMs < 50; atMs++) append(tick(atMs));
    const heard = hear(await muxer());
    for (let atMs = 50; atMs < 100; atMs++) append(tick(atMs));
    await until(() => heard.length >= 101);
    assert.deepEqual(heard, [HELLO, ...Array.from({ length: 100 }, (_, atMs) => tick(atMs))]);
  });

  test('gives a muxer that comes later what was not durable, and ends the one before', async (t) => {
    const { append, muxer, events } = await open(t);
    for (let atMs = 0; atMs < 10; atMs++) append(tick(atMs));
    const first = await muxer();
    first.resume();
    first.write(encodeMuxerRequest({ type: 'durable', atMs: 7 }));
    await until(() => events.first === 7);
    const closed = once(first, 'close');
    const heard = hear(await muxer());
    await closed;
    append(tick(10));
    await until(() => heard.length >= 5);
    assert.deepEqual(heard, [HELLO, tick(7), tick(8), tick(9), tick(10)]);
  });

  test('hands on what a muxer asks for, and nothing of the one before', async (t) => {
    const { muxer, requests } = await open(t);
    const first = await muxer();
    first.write(encodeMuxerRequest({ type: 'key-frame', track: 1 }));
    await until(() => requests.length === 1);
    const second = await muxer();
    first.write(encodeMuxerRequest({ type: 'key-frame', track: 2 }));
    second.write(encodeMuxerRequest({ type: 'key-frame', track: 3 }));
    await until(() => requests.length === 2);
    assert.deepEqual(
      requests.map((request) => 'track' in request && request.track),
      [1, 3],
    );
  });

  test('cuts off a muxer that reads too slowly, and holds no more than it may', async (t) => {
    const { append, muxer, events } = await open(t, 200_000);
    const slow = await muxer();
    slow.pause();
    const closed = once(slow, 'close');
    const packet = new Uint8Array(1000);
    for (let atMs = 0; !slow.destroyed && atMs < 20_000; atMs++) {
      append({ type: 'rtp', packet, atMs });
      if (atMs % 100 === 0) await sleep(1);
      if (slow.readableLength > 0 && events.first > 0) break;
    }
    for (let atMs = 0; atMs < 2000; atMs++) append({ type: 'rtp', packet, atMs });
    assert.ok(events.bytes <= 200_000);
    slow.resume();
    await closed;
    const heard = hear(await muxer());
    await until(() => heard.length === events.next - events.first + 1);
  });

  test('cuts off who does not speak as a muxer', async (t) => {
    const { muxer } = await open(t);
    const stranger = await muxer();
    const closed = once(stranger, 'close');
    stranger.resume();
    stranger.write('GET / HTTP/1.1\r\n\r\n');
    await closed;
  });

  test('takes the place of one that a killed receiver left', async (t) => {
    const { options, muxer } = await open(t);
    // Its file stays, as it would of a process that was killed.
    const successor = await MuxerSocket.listen(options);
    t.after(() => successor.close());
    const heard = hear(await muxer());
    await until(() => heard.length === 1);
  });
});
