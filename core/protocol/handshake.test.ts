import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHandshake } from './handshake.ts';

const plain = { replyMethod: 'echo', events: false };

const cases: readonly (readonly [string, string | undefined, object])[] = [
  ['/', undefined, plain],
  ['/ws', undefined, plain],
  ['/?', undefined, plain],
  ['/?reply=ack', undefined, { ...plain, replyMethod: 'ack' }],
  ['/?reply=echo', undefined, plain],
  ['/?events=1', undefined, { ...plain, events: true }],
  ['/?events=0', undefined, plain],
  ['/ws?reply=ack&events=1&token=a.b.c', undefined, { replyMethod: 'ack', events: true, token: 'a.b.c' }],
  ['/?token=a%2Bb', undefined, { ...plain, token: 'a+b' }],
  ['/?token=', undefined, plain],
  ['/?token=query', 'Bearer header', { ...plain, token: 'header' }],
  ['/?token=query', 'bearer  header ', { ...plain, token: 'header' }],
  ['/?token=query', 'Basic dTpw', { ...plain, token: 'query' }],
  ['/?reply=ack&reply=echo', undefined, { ...plain, replyMethod: 'ack' }],
  ['/?__proto__=1&utm_source=x&%', undefined, plain],
];

for (const [target, authorization, expected] of cases) {
  test(`${target} with ${authorization ?? 'no header'} is understood`, () => {
    const result = parseHandshake(target, { replyMethod: 'echo', authorization });
    assert.deepEqual(result, { ok: true, handshake: expected });
  });
}

test('without a wish the server chooses the method of replies, and a wish goes before it', () => {
  const of = (target: string) => parseHandshake(target, { replyMethod: 'ack' });
  assert.deepEqual(of('/'), { ok: true, handshake: { ...plain, replyMethod: 'ack' } });
  assert.deepEqual(of('/?reply=echo'), { ok: true, handshake: plain });
});

for (const [target, words] of [
  ['/?reply=nack', '"reply" in the address is "nack"; it must be echo or ack'],
  ['/?reply=', '"reply" in the address is ""; it must be echo or ack'],
  ['/?events=true', '"events" in the address is "true"; it must be 0 or 1'],
  [`/?events=${'1'.repeat(500)}`, '"events" in the address is a string of 500 characters; it must be 0 or 1'],
] as const) {
  test(`${target.slice(0, 30)} is refused`, () => {
    const result = parseHandshake(target, { replyMethod: 'echo' });
    assert.ok(!result.ok);
    assert.equal(result.error.errorName, 'invalid_field');
    assert.equal(result.error.message, words);
  });
}
