import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ifMatch } from './entity-tag.ts';
import { accepts, isMediaType } from './media-type.ts';

for (const [header, passes] of [
  ['"1"', true],
  ['*', true],
  ['"*"', true],
  [' "0" , "1"', true],
  ['"2"', false],
  ['1', false],
  ['W/"1"', false],
  ['', false],
] as const) {
  test(`If-Match: ${header} ${passes ? 'lets' : 'does not let'} a request pass`, () => {
    assert.equal(ifMatch(header, '"1"'), passes);
  });
}

for (const [header, taken] of [
  [undefined, true],
  ['', true],
  ['*/*', true],
  ['application/*;q=0.5', true],
  ['text/html, Application/SDP', true],
  ['application/sdp; q=0.1', true],
  ['application/sdp;q=0, */*', false],
  ['*/*;q=0.0', false],
  ['application/json', false],
  ['text/*', false],
] as const) {
  test(`Accept: ${header} ${taken ? 'takes' : 'does not take'} SDP`, () => {
    assert.equal(accepts(header, 'application/sdp'), taken);
  });
}

test('a media type is known in any case and with any parameters', () => {
  assert.ok(isMediaType('Application/SDP ; charset=utf-8', 'application/sdp'));
  assert.ok(!isMediaType('application/sdpx', 'application/sdp'));
  assert.ok(!isMediaType(undefined, 'application/sdp'));
});
