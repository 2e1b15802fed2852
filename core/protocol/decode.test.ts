import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeRequest } from './decode.ts';
import { type ErrorName, MillraceError } from './error.ts';
import { MAX_SDP_CHARACTERS, METHODS } from './message.ts';

const SESSION = 'AAECAwQFBgcICQoLDA0ODw';

function publish(fields: object = {}, data: object = {}): Record<string, unknown> {
  const head = { version: '1.0', method: 'stream.publish', stream: 'camera', session: '' };
  return { ...head, data: { sdp: 'v=0', ...data }, ...fields };
}

function accept(message: unknown) {
  const result = decodeRequest(typeof message === 'string' ? message : JSON.stringify(message));
  if (!result.ok) throw result.error;
  return result.request;
}

function refusal(message: unknown) {
  const result = decodeRequest(typeof message === 'string' ? message : JSON.stringify(message));
  assert.ok(!result.ok, 'the message was accepted');
  return result;
}

test('a publish is read whole', () => {
  const message = publish({ id: 7, token: 't', session: SESSION }, { max_bitrate: 2_000_000 });
  assert.deepEqual(accept(message), {
    method: 'stream.publish',
    stream: 'camera',
    session: SESSION,
    id: 7,
    token: 't',
    data: { sdp: 'v=0', max_bitrate: 2_000_000 },
  });
});

test('session, id, token and most data may be absent, and null counts as absent', () => {
  const expected = { method: 'stream.mute', stream: 's', session: '', data: {} };
  const head = { version: '1.0', method: 'stream.mute', stream: 's' };
  assert.deepEqual(accept(head), expected);
  const nulls = { session: null, id: null, token: null };
  assert.deepEqual(accept({ ...head, ...nulls, data: null }), expected);
  assert.deepEqual(accept({ ...head, data: { video: null, audio: null, role: null } }), expected);
});

test('unknown fields are ignored, whatever their names', () => {
  const text =
    '{"version":"1.0","method":"stream.close","stream":"s","__proto__":{"session":"x"},"constructor":1,' +
    '"more":[{}],"data":{"role":"play","__proto__":{"role":"publish"},"toString":null}}';
  const request = accept(text);
  assert.deepEqual(request, { method: 'stream.close', stream: 's', session: '', data: { role: 'play' } });
  assert.equal(Object.getPrototypeOf(request.data), Object.prototype);
  assert.equal(({} as Record<string, unknown>).session, undefined);
});

test('a member __proto__ is not read as the members of a prototype', () => {
  const { error } = refusal('{"__proto__":{"version":"1.0","method":"stream.close","stream":"s"}}');
  assert.equal(error.message.startsWith('"method" is missing'), true);
});

test('of a field written twice the last one holds', () => {
  const text = '{"version":"1.0","method":"stream.play","method":"stream.close","stream":"a","stream":"b"}';
  assert.equal(accept(text).method, 'stream.close');
  assert.equal(accept(text).stream, 'b');
});

test('a heartbeat needs no stream, and its stream is not checked', () => {
  const head = { version: '1.0', method: 'stream.heartbeat' };
  for (const [stream, read] of [
    [undefined, ''],
    [null, ''],
    [3, ''],
    ['a\nb', 'a\nb'],
    [{}, ''],
  ] as const) {
    assert.deepEqual(accept({ ...head, stream }), { ...accept(head), stream: read });
  }
  assert.deepEqual(accept({ ...head, data: { token: 'new' } }).data, { token: 'new' });
});

test('a recording is asked for with neither version nor session', () => {
  const start = { method: 'record.start', stream: 's', data: { fileName: 'a/b.webm' } };
  assert.deepEqual(accept(start), { ...start, session: '' });
  assert.deepEqual(accept({ ...start, version: '1.0', data: undefined }), {
    ...start,
    session: '',
    data: {},
  });
  const stop = { method: 'record.stop', stream: 's' };
  assert.deepEqual(accept(stop), { ...stop, session: '', data: {} });
});

test('every integer from 0 to 2^64-1 is a bitrate', () => {
  const texts = ['0', '-0', '1', '1e6', '1.0', '9007199254740993', '18446744073709551615'];
  for (const text of texts) {
    const request = accept(JSON.stringify(publish()).replace('"v=0"', `"v=0","max_bitrate":${text}`));
    assert.equal('max_bitrate' in request.data && request.data.max_bitrate, Number(text), text);
  }
});

const refusals: readonly (readonly [string, unknown, ErrorName, RegExp])[] = [
  ['nothing', '', 'malformed', /not JSON/],
  ['half an object', '{"version":"1.0"', 'malformed', /not JSON/],
  ['an array', '[]', 'malformed', /is an array/],
  ['a string', '"stream.play"', 'malformed', /is "stream.play"/],
  ['null', 'null', 'malformed', /is null/],
  ['two objects', '{}{}', 'malformed', /not JSON/],
  ['deep nesting', '['.repeat(200_000), 'malformed', /deeper than 32/],
  ['deep nesting in an object', `{"a":${'['.repeat(40)}${']'.repeat(40)}}`, 'malformed', /deeper than 32/],
  ['an empty object', '{}', 'missing_field', /"method" is missing; send one of stream\.publish/],
  ['a method that is a number', publish({ method: 1 }), 'invalid_field', /"method" is 1; it must be one of/],
  [
    'an unknown method',
    publish({ method: 'stream.stop' }),
    'unknown_method',
    /"method" is "stream.stop"; it/,
  ],
  ['a method of Object', publish({ method: 'constructor' }), 'unknown_method', /"constructor"/],
  ['a method in capitals', publish({ method: 'Stream.Play' }), 'unknown_method', /"Stream.Play"/],
  [
    'a recording in another version',
    { version: '2.0', method: 'record.start', stream: 's' },
    'unsupported_version',
    /"2.0"/,
  ],
  [
    'a file name that is empty',
    { method: 'record.start', stream: 's', data: { fileName: '' } },
    'invalid_field',
    /"data.fileName" is "".*a relative path/,
  ],
  [
    'no version',
    publish({ version: undefined }),
    'missing_field',
    /"version" is missing; send the string "1.0"/,
  ],
  ['another version', publish({ version: '1.1' }), 'unsupported_version', /"1.1"; this server speaks "1.0"/],
  ['another version and method', { version: '2', method: 'x' }, 'unsupported_version', /"2"/],
  [
    'a version that is a number',
    publish({ version: 1 }),
    'invalid_field',
    /"version" is 1; it must be the st/,
  ],
  ['no stream', publish({ stream: undefined }), 'missing_field', /"stream" is missing/],
  ['an empty stream', publish({ stream: '' }), 'missing_field', /"stream" is empty/],
  [
    'a stream that is a number',
    publish({ stream: 5 }),
    'invalid_field',
    /"stream" is 5; it must be a string/,
  ],
  ['a long stream', publish({ stream: 'x'.repeat(129) }), 'invalid_field', /has 129 characters; at most 128/],
  ['a session that is a number', publish({ session: 5 }), 'invalid_field', /"session" is 5/],
  ['a made-up session', publish({ session: 'mine' }), 'unknown_session', /send "" to start/],
  ['an id that is an object', publish({ id: {} }), 'invalid_field', /"id" is an object; it must be a string/],
  ['an id that is true', publish({ id: true }), 'invalid_field', /"id" is true/],
  ['a long id', publish({ id: 'x'.repeat(129) }), 'invalid_field', /"id" is a string of 129 characters/],
  ['an id that loses digits', publish({ id: 2 ** 53 }), 'invalid_field', /"id" is 9007199254740992/],
  [
    'an infinite id',
    '{"version":"1.0","method":"stream.close","stream":"s","id":1e400}',
    'invalid_field',
    /"id" is Inf/,
  ],
  [
    'a long token',
    publish({ token: 'x'.repeat(16_385) }),
    'invalid_field',
    /"token" is a string of 16385 char/,
  ],
  ['data that is a string', publish({ data: 'x' }), 'invalid_field', /"data" is "x"; it must be an object/],
  ['data that is an array', publish({ data: [] }), 'invalid_field', /"data" is an array/],
  ['no data', publish({ data: undefined }), 'missing_field', /"data.sdp" is missing/],
  [
    'no sdp',
    publish({}, { sdp: undefined }),
    'missing_field',
    /"data.sdp" is missing; send a string, the SDP/,
  ],
  ['an empty sdp', publish({}, { sdp: '' }), 'invalid_field', /"data.sdp" is ""/],
  [
    'an sdp that is an object',
    publish({}, { sdp: { type: 'offer' } }),
    'invalid_field',
    /"data.sdp" is an obj/,
  ],
  ['a long sdp', publish({}, { sdp: 'x'.repeat(MAX_SDP_CHARACTERS + 1) }), 'too_large', /has 131073 charac/],
  [
    'a fraction of a bit',
    publish({}, { max_bitrate: 1.5 }),
    'invalid_field',
    /"data.max_bitrate" is 1.5; it must/,
  ],
  ['a negative bitrate', publish({}, { max_bitrate: -1 }), 'invalid_field', /"data.max_bitrate" is -1/],
  ['a bitrate above 2^64', publish({}, { max_bitrate: 2 ** 65 }), 'invalid_field', /is 36893488147419103000/],
  ['a bitrate as a string', publish({}, { max_bitrate: '9' }), 'invalid_field', /"data.max_bitrate" is "9"/],
  [
    'an infinite bitrate',
    JSON.stringify(publish()).replace('"v=0"', '"v=0","max_bitrate":1e400'),
    'invalid_field',
    /"data.max_bitrate" is Infinity; it must be an integer/,
  ],
  [
    'a wait of more than a minute',
    { version: '1.0', method: 'stream.play', stream: 's', id: 1, data: { sdp: 'v=0', wait_ms: 60_001 } },
    'invalid_field',
    /"data.wait_ms" is 60001; it must be an integer from 0 to 60000/,
  ],
  [
    'a wait without an id',
    { version: '1.0', method: 'stream.play', stream: 's', data: { sdp: 'v=0', wait_ms: 1 } },
    'missing_field',
    /"id" is missing and "data.wait_ms" is 1/,
  ],
  [
    'a mute that is a number',
    { version: '1.0', method: 'stream.mute', stream: 's', data: { video: 1 } },
    'invalid_field',
    /"data.video" is 1; it must be true \(muted\) or false/,
  ],
  [
    'an unknown role',
    { version: '1.0', method: 'stream.close', stream: 's', data: { role: 'both' } },
    'invalid_field',
    /"data.role" is "both"; it must be "publish" or "play"/,
  ],
];

for (const [what, message, name, words] of refusals) {
  test(`${what} is refused as ${name}`, () => {
    const { error } = refusal(message);
    assert.equal(error.errorName, name);
    assert.match(error.message, words);
  });
}

test('an error echoes what could be read of its request', () => {
  const nothing = { method: '', stream: '', session: '' };
  assert.deepEqual(refusal('{"version').echo, nothing);
  assert.deepEqual(refusal({ version: '1.0', method: 4, stream: null, session: [], id: {} }).echo, nothing);
  const echo = { method: 'stream.sing', stream: 'a\nb', session: 'mine', id: 'q-1' };
  assert.deepEqual(refusal({ version: '1.0', ...echo }).echo, echo);
});

test('a wait of 0 needs no id, a longer one is read with it', () => {
  const play = { version: '1.0', method: 'stream.play', stream: 's' };
  assert.deepEqual(accept({ ...play, data: { sdp: 'v=0', wait_ms: 0 } }).data, { sdp: 'v=0', wait_ms: 0 });
  const waiting = accept({ ...play, id: 0, data: { sdp: 'v=0', wait_ms: 60_000 } });
  assert.deepEqual(waiting.data, { sdp: 'v=0', wait_ms: 60_000 });
  assert.equal(waiting.id, 0);
});

test('no text whatever makes it throw, and every error tells what to do', () => {
  const values = fc.record(
    {
      version: fc.oneof(fc.constant('1.0'), fc.jsonValue()),
      method: fc.oneof(fc.constantFrom(...METHODS), fc.jsonValue()),
      stream: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
      session: fc.oneof(fc.constantFrom('', SESSION), fc.jsonValue()),
      id: fc.oneof(fc.integer(), fc.jsonValue()),
      data: fc.oneof(fc.record({ sdp: fc.string(), wait_ms: fc.jsonValue() }), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    values.map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const result = decodeRequest(text);
      if (result.ok) return;
      assert.ok(result.error instanceof MillraceError);
      assert.notEqual(result.error.errorName, 'internal', result.error.message);
      assert.match(result.error.message, /;|at most/);
      assert.ok(result.error.message.length < 400, result.error.message);
    }),
    { numRuns: 3000 },
  );
});
