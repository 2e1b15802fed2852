import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressLimit } from './address-limit.ts';

test('an address may take so many, and again what it gave back', () => {
  const limit = new AddressLimit(2);
  const release = limit.take('192.0.2.7');
  assert.ok(limit.take('192.0.2.7'));
  assert.equal(limit.take('192.0.2.7'), undefined);
  assert.ok(limit.take('192.0.2.8'));
  release?.();
  release?.();
  assert.ok(limit.take('192.0.2.7'));
  assert.equal(limit.take('192.0.2.7'), undefined);
});

test('addresses of one IPv6 network share what they may take', () => {
  const limit = new AddressLimit(1);
  assert.ok(limit.take('2001:db8::1'));
  assert.equal(limit.take('2001:db8::2'), undefined);
  assert.ok(limit.take('2001:db8:0:1::1'));
});

test('loopback may take any number', () => {
  const limit = new AddressLimit(1);
  for (const address of ['127.0.0.1', '127.0.0.1', '::1', '::1', '127.3.2.1']) assert.ok(limit.take(address));
});

test('an address that has nothing is forgotten', () => {
  const limit = new AddressLimit(2);
  const releases = ['192.0.2.7', '192.0.2.7', '192.0.2.8'].map((address) => limit.take(address));
  assert.equal(limit.size, 2);
  for (const release of releases) release?.();
  assert.equal(limit.size, 0);
});
