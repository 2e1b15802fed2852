import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressKey, plainAddress, TrustedProxies } from './client-address.ts';

const proxies = new TrustedProxies([
  { address: '10.0.0.0', prefix: 8 },
  { address: '2001:db8:1::', prefix: 48 },
]);

describe('A client’s address', () => {
  const cases: readonly [string, string, string | undefined, string][] = [
    ['is its connection’s without a proxy', '192.0.2.7', undefined, '192.0.2.7'],
    ['is its connection’s, whatever it claims itself', '192.0.2.7', '198.51.100.1', '192.0.2.7'],
    ['is what the proxy says', '10.0.0.1', '192.0.2.7', '192.0.2.7'],
    ['is the last that no proxy has', '10.0.0.1', '198.51.100.1, 192.0.2.7, 10.2.3.4', '192.0.2.7'],
    ['is not what stands before that', '10.0.0.1', '10.9.9.9, 192.0.2.7', '192.0.2.7'],
    ['is the first proxy’s where all are trusted', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['is the proxy’s that forwards nothing', '10.0.0.1', undefined, '10.0.0.1'],
    ['is the proxy’s that forwards nonsense', '10.0.0.1', '192.0.2.7, unknown', '10.0.0.1'],
    ['may be followed by a port', '10.0.0.1', '192.0.2.7:4711', '192.0.2.7'],
    ['may be IPv6 with a port', '10.0.0.1', '[2001:db8::7]:4711', '2001:db8::7'],
    ['may be IPv6 behind a proxy that has IPv6', '2001:db8:1::1', '2001:db8::7', '2001:db8::7'],
    ['may be IPv4 written as IPv6', '10.0.0.1', '::ffff:192.0.2.7', '192.0.2.7'],
  ];
  for (const [what, peer, forwardedFor, expected] of cases) {
    it(what, () => assert.equal(proxies.clientAddress(peer, forwardedFor), expected));
  }

  it('is told plainly, without zone and without IPv6 around IPv4', () => {
    assert.equal(plainAddress('::ffff:10.0.0.1'), '10.0.0.1');
    assert.equal(plainAddress('fe80::1%eth0'), 'fe80::1');
    assert.equal(plainAddress('2001:db8::1'), '2001:db8::1');
  });
});

describe('What counts as one client', () => {
  const cases: readonly [string, string][] = [
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:0:1::7', '2001:db8:0:1::/64'],
    ['2001:DB8:0:1:ffff:ffff:ffff:ffff', '2001:db8:0:1::/64'],
    ['2001:0db8:0000:0001::', '2001:db8:0:1::/64'],
    ['fe80::1', 'fe80:0:0:0::/64'],
    ['::1:2:3:4', '0:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
    ['1:2:3:4:5:6:192.0.2.7', '1:2:3:4::/64'],
  ];
  for (const [address, key] of cases) {
    it(`${address} is of ${key}`, () => assert.equal(addressKey(address), key));
  }
});
