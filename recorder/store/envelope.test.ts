import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DamagedEnvelope, decodeEnvelope, encodeEnvelope } from './envelope.ts';

test('Header and body are read back', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.uint8Array({ maxLength: 1000 }),
      (header, body) => {
        const { header: readHeader, body: readBody } = decodeEnvelope(encodeEnvelope(header, body));
        assert.deepEqual(readHeader, JSON.parse(JSON.stringify(header)));
        assert.deepEqual(Buffer.from(readBody), Buffer.from(body));
      },
    ),
  );
});

test('What was cut anywhere, or changed in one byte, is damaged', () => {
  const whole = encodeEnvelope({ some: 'header' }, new Uint8Array(100).fill(7));
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => decodeEnvelope(whole.subarray(0, length)), DamagedEnvelope);
  }
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 0x40;
    assert.throws(() => decodeEnvelope(changed), DamagedEnvelope, `byte ${at}`);
  }
});
