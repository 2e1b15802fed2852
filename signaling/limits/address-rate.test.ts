import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressRate } from './address-rate.ts';

function spent(rate: AddressRate, address: string, nowMs: number, times: number): number {
  return Array.from({ length: times }, () => rate.spend(address, nowMs)).filter(Boolean).length;
}

test('an address may ask three seconds’ worth at once, and then as often as the rate says', () => {
  const rate = new AddressRate(10);
  assert.equal(spent(rate, '192.0.2.7', 0, 100), 30);
  assert.equal(spent(rate, '192.0.2.7', 500, 100), 5);
  assert.equal(spent(rate, '192.0.2.8', 500, 100), 30);
});

test('addresses of one IPv6 network share it; loopback has none', () => {
  const rate = new AddressRate(1);
  assert.equal(spent(rate, '2001:db8::1', 0, 3), 3);
  assert.equal(rate.spend('2001:db8::2', 0), false);
  assert.equal(spent(rate, '127.0.0.1', 0, 100), 100);
});

test('beyond its bound the address that asked longest ago is forgotten', () => {
  const rate = new AddressRate(1, 2);
  for (const address of ['192.0.2.1', '192.0.2.2']) spent(rate, address, 0, 3);
  assert.equal(rate.spend('192.0.2.1', 0), false);
  assert.equal(rate.spend('192.0.2.3', 0), true);
  assert.equal(rate.spend('192.0.2.1', 0), false);
  assert.equal(rate.spend('192.0.2.2', 0), true);
});
