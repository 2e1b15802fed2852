import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { encodeError, encodeEvent, encodeReply } from './encode.ts';
import { MillraceError } from './error.ts';
import { EVENT_SCHEMAS, type EventData } from './event.ts';
import { METHODS, type Method } from './message.ts';
import { ErrorReplySchema, REPLY_SCHEMAS, type ReplyData } from './reply.ts';

const head = { stream: 'camera', session: 'AAECAwQFBgcICQoLDA0ODw' };
const data: { readonly [M in Method]: ReplyData<M> } = {
  'stream.publish': { sdp: 'v=0' },
  'stream.play': { sdp: 'v=0' },
  'stream.mute': { video: true, audio: false },
  'stream.close': {},
  'stream.heartbeat': {},
  'record.start': { fileName: 'a.webm', recording: 'a'.repeat(32), started_at: '2020-11-23T23:15:23.000Z' },
  'record.stop': { recordings: [{ recording: 'a'.repeat(32), fileName: 'a.webm' }] },
};

test('a success says "success" for publish and play, and "succeed" for the rest', () => {
  const words = METHODS.map(
    (method) => JSON.parse(encodeReply({ ...head, method }, data[method], 'echo')).err_msg,
  );
  assert.deepEqual(words, ['success', 'success', ...Array(5).fill('succeed')]);
});

for (const method of METHODS) {
  test(`the reply to ${method} keeps its schema, with its method echoed or as ack`, () => {
    for (const [replyMethod, written] of [
      ['echo', method],
      ['ack', 'ack'],
    ] as const) {
      const reply = JSON.parse(encodeReply({ ...head, method }, data[method], replyMethod));
      (REPLY_SCHEMAS[method] as z.ZodObject).parse(reply);
      assert.deepEqual(reply, {
        ...reply,
        ...head,
        version: '1.0',
        err: 0,
        method: written,
        data: data[method],
      });
    }
  });
}

test('an id is echoed as it came, 0 and "" too, and left out where the request had none', () => {
  for (const id of [0, '', 1.5, 'q-1']) {
    const reply = JSON.parse(encodeReply({ ...head, method: 'stream.close', id }, {}, 'echo'));
    assert.equal(reply.id, id);
  }
  assert.equal('id' in JSON.parse(encodeReply({ ...head, method: 'stream.close' }, {}, 'echo')), false);
});

test('an error reply has the code, the message and empty data', () => {
  const error = new MillraceError('stream_not_found', 'no stream "camera"; wait for it with "wait_ms"');
  const reply = JSON.parse(encodeError({ ...head, method: 'stream.play', id: 3 }, error, 'echo'));
  ErrorReplySchema.parse(reply);
  assert.equal(reply.err, 40402);
  assert.equal(reply.err_msg, error.message);
  assert.deepEqual(reply.data, {});
  assert.equal(JSON.parse(encodeError({ ...head, method: '' }, error, 'ack')).method, 'ack');
});

test('a name that JSON must escape comes back as it went in', () => {
  const stream = 'a"\\ \u2028 \u{1F3A5} \ud800';
  assert.equal(
    JSON.parse(encodeReply({ ...head, stream, method: 'stream.close' }, {}, 'echo')).stream,
    stream,
  );
});

test('events keep their schemas', () => {
  const file = { fileName: 'a.webm', location: '/recordings/a.webm', duration_ms: 4000, bytes: 12_345 };
  const recorded: EventData<'record.ended'> = {
    recording: 'a'.repeat(32),
    fileName: 'a.webm',
    outcome: 'completed',
    duration_ms: 4000,
    bytes: 12_345,
    gaps: { count: 1, total_ms: 20 },
    files: [file],
  };
  EVENT_SCHEMAS['record.ended'].parse(
    JSON.parse(encodeEvent({ ...head, method: 'record.ended', data: recorded })),
  );
  const ended = { role: 'play', reason: 'publisher_closed' } as const;
  EVENT_SCHEMAS['stream.ended'].parse(
    JSON.parse(encodeEvent({ ...head, method: 'stream.ended', data: ended })),
  );
  EVENT_SCHEMAS['stream.moved'].parse(
    JSON.parse(encodeEvent({ ...head, method: 'stream.moved', data: { role: 'play' } })),
  );
});
