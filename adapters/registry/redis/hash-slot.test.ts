import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashSlot } from './hash-slot.ts';

test('The slot of a hash tag is the one that Redis Cluster computes', () => {
  // The check value of the specification, then what CLUSTER KEYSLOT of Redis 7.0 says.
  assert.equal(hashSlot('123456789'), 0x31c3);
  assert.equal(hashSlot('millrace:streams'), 16_034);
  assert.equal(hashSlot('millrace:sessions'), 9856);
});
