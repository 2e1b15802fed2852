import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { eventually } from '../harness/condition.ts';
import { Fixture } from '../harness/fixture.ts';
import type { DocumentClientPage, Perception } from '../harness/page.ts';
import { COLOURS, hearsTone, seesMovingPicture, succeeded } from '../harness/viewing.ts';

const fixture = await Fixture.start({ MILLRACE_WORKERS: '1' });
const { rtcPort } = fixture.server;

const FLOOD_MS = 4000;
/** Sent every 10 ms: 4000 a second. */
const BURST = 40;

let publisher: DocumentClientPage;
let viewer: DocumentClientPage;

test('a publisher and a viewer, who are to notice nothing', async () => {
  publisher = await fixture.open('chromium');
  viewer = await fixture.open('chromium');
  succeeded(await publisher.publish('watched', { colour: COLOURS.green, toneHz: 660 }));
  succeeded(await viewer.play('watched'));
  await seesMovingPicture(viewer, 'green');
});

const MAGIC_COOKIE = Buffer.from('2112a442', 'hex');

/** A STUN message (RFC 8489 section 5) with the given attributes. */
function stun(type: number, attributes: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(attributes.length, 2);
  return Buffer.concat([head, MAGIC_COOKIE, randomBytes(12), attributes]);
}

function attribute(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

/** A DTLS 1.2 record (RFC 6347 section 4.1) that says it holds a handshake. */
function dtls(body: Buffer): Buffer {
  const head = Buffer.from('16fefd0000000000000000', 'hex');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(body.length, 0);
  return Buffer.concat([head, length, body]);
}

function rtp(ssrc: number, sequence: number): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt8(0x80, 0);
  head.writeUInt8(96, 1);
  head.writeUInt16BE(sequence & 0xffff, 2);
  head.writeUInt32BE(sequence * 3000, 4);
  head.writeUInt32BE(ssrc, 8);
  return Buffer.concat([head, randomBytes(400)]);
}

/** SSRCs of the publisher's media: what somebody who saw its SDP would use. */
async function realSsrcs(): Promise<readonly number[]> {
  const sdp = await publisher.run<string>('publication.pc.localDescription.sdp');
  return [...sdp.matchAll(/^a=ssrc:(\d+) cname/gm)].map(([, ssrc]) => Number(ssrc));
}

/** The username of connectivity checks that the server would take (RFC 8445 section 7.2.2), with a wrong key. */
async function realUsername(): Promise<string> {
  const ufrag = (side: string) =>
    publisher.run<string>(`/a=ice-ufrag:(\\S+)/.exec(publication.pc.${side}Description.sdp)[1]`);
  return `${await ufrag('remote')}:${await ufrag('local')}`;
}

interface Answers {
  sent: number;
  received: number;
  receivedBytes: number;
  sentBytes: number;
}

/** Sends packets from several ports of a stranger. */
async function flood(make: (index: number) => Buffer): Promise<Answers> {
  const answers: Answers = { sent: 0, received: 0, receivedBytes: 0, sentBytes: 0 };
  const sockets: Socket[] = Array.from({ length: 8 }, () => createSocket('udp4'));
  for (const socket of sockets) {
    socket.on('error', () => undefined);
    socket.on('message', (message) => {
      answers.received += 1;
      answers.receivedBytes += message.length;
    });
  }
  const endMs = performance.now() + FLOOD_MS;
  while (performance.now() < endMs) {
    for (let count = 0; count < BURST; count += 1) {
      const packet = make(answers.sent);
      sockets[answers.sent % sockets.length]?.send(packet, rtcPort, '127.0.0.1');
      answers.sent += 1;
      answers.sentBytes += packet.length;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  for (const socket of sockets) socket.close();
  const perSecond = (answers.sent * 1000) / FLOOD_MS;
  assert.ok(perSecond > 1000, `only ${Math.round(perSecond)} packets a second were sent`);
  return answers;
}

/** What the viewer sees goes on all through `hostile`, and the server stays the same. */
async function undisturbed<Result>(hostile: () => Promise<Result>): Promise<Result> {
  const workers = fixture.server.workerPids();
  const before = await viewer.perceive();
  const startMs = performance.now();
  const result = await hostile();
  const after = await viewer.perceive();
  const seconds = (performance.now() - startMs) / 1000;
  const rate = (after.framesDecoded - before.framesDecoded) / seconds;
  // 15 are sent; a busy machine may draw and encode fewer.
  assert.ok(rate > 8, `${rate.toFixed(1)} frames a second in ${seconds.toFixed(1)} s`);
  assert.ok(after.lost - before.lost <= 5, `${after.lost - before.lost} packets were lost`);
  assert.equal(after.connection, 'connected');
  await seesMovingPicture(viewer, 'green');
  await hearsTone(viewer, 660);
  assert.deepEqual(fixture.server.workerPids(), workers);
  return result;
}

async function streams(): Promise<{ name: string }[]> {
  const reply = await fetch(`${fixture.server.httpUrl}/api/v1/streams`);
  return ((await reply.json()) as { streams: { name: string }[] }).streams;
}

test('RTP from strangers, with made-up SSRCs and with the publisher’s own, reaches no viewer', async () => {
  const ssrcs = await realSsrcs();
  assert.ok(ssrcs.length > 0);
  const answers = await undisturbed(() =>
    flood((index) =>
      rtp(index % 2 === 0 ? randomBytes(4).readUInt32BE() : (ssrcs[index % ssrcs.length] ?? 0), index),
    ),
  );
  assert.equal(answers.received, 0);
});

test('RTCP from strangers, BYE for the publisher’s own SSRC among it, ends nothing', async () => {
  const ssrcs = await realSsrcs();
  const answers = await undisturbed(() =>
    flood((index) => {
      // BYE (RFC 3550 section 6.6) behind an empty receiver report.
      const packet = Buffer.from('80c9000100000000' + '81cb000100000000', 'hex');
      packet.writeUInt32BE(ssrcs[index % ssrcs.length] ?? 0, 4);
      packet.writeUInt32BE(ssrcs[index % ssrcs.length] ?? 0, 12);
      return packet;
    }),
  );
  assert.equal(answers.received, 0);
  assert.deepEqual(
    (await streams()).map(({ name }) => name),
    ['watched'],
  );
});

test('STUN from strangers takes nothing over, and is answered with no more bytes than it sends', async () => {
  const username = await realUsername();
  const requests = [
    () => stun(0x0001, Buffer.alloc(0)),
    () => stun(0x0001, attribute(0x0006, Buffer.from('nobody:nowhere'))),
    () =>
      stun(
        0x0001,
        Buffer.concat([
          attribute(0x0006, Buffer.from(username)),
          attribute(0x0024, Buffer.from('7effffff', 'hex')),
          attribute(0x0025, Buffer.alloc(0)),
          attribute(0x002a, randomBytes(8)),
          attribute(0x0008, randomBytes(20)),
        ]),
      ),
    () => stun(0x0101, attribute(0x0020, randomBytes(8))),
    () => stun(0x0001, Buffer.from('0006fffc00', 'hex')),
  ];
  const answers = await undisturbed(() =>
    flood((index) => (requests[index % requests.length] as () => Buffer)()),
  );
  // What names a real transport and has a wrong key is told so: the packets do arrive.
  assert.ok(answers.received > 0);
  assert.ok(
    answers.receivedBytes <= answers.sentBytes,
    `${answers.sentBytes} bytes were answered with ${answers.receivedBytes}`,
  );
});

test('DTLS from strangers and noise of every first byte are dropped without an answer', async () => {
  const hello = dtls(Buffer.concat([Buffer.from('0100002c000000000000002c', 'hex'), randomBytes(44)]));
  const answers = await undisturbed(() =>
    flood((index) => {
      if (index % 3 === 0) return hello;
      if (index % 3 === 1) return dtls(randomBytes(200));
      const noise = randomBytes(1 + (index % 1400));
      noise[0] = index & 0xff;
      return noise;
    }),
  );
  assert.ok(
    answers.receivedBytes <= answers.sentBytes / 10,
    `${answers.sentBytes} bytes were answered with ${answers.receivedBytes}`,
  );
});

test('TCP connections to the media port that say nothing, or nonsense, disturb nobody', async () => {
  await undisturbed(async () => {
    const sockets = Array.from({ length: 200 }, (_, index) => {
      const socket = connectTcp(rtcPort, '127.0.0.1');
      socket.on('error', () => undefined);
      // A frame's length (RFC 4571 section 2), and never as much.
      if (index % 2 === 0) socket.write(Buffer.concat([Buffer.from('ffff', 'hex'), randomBytes(100)]));
      return socket;
    });
    await new Promise((resolve) => setTimeout(resolve, FLOOD_MS));
    for (const socket of sockets) socket.destroy();
  });
});

test('after all of it others publish and play as before', async () => {
  const late = await fixture.open('chromium');
  succeeded(await late.publish('late', { colour: COLOURS.blue }));
  succeeded(await late.play('late'));
  await seesMovingPicture(late, 'blue');
  const last: Perception = await viewer.perceive();
  await eventually('the first viewer still sees frames', async () => {
    return (await viewer.perceive()).framesDecoded > last.framesDecoded + 10;
  });
  for (const page of [late, viewer, publisher]) await page.close();
});
