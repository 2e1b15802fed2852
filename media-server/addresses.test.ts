import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { describe, test } from 'node:test';
import { listenAddresses } from './addresses.ts';
import type { RtcAddress } from './settings.ts';

const ipv4 = (address: string, internal = false): NetworkInterfaceInfo => ({
  address,
  netmask: '',
  family: 'IPv4',
  mac: '',
  internal,
  cidr: null,
});
const ipv6 = (address: string, internal = false): NetworkInterfaceInfo => ({
  ...ipv4(address, internal),
  family: 'IPv6',
  scopeid: 0,
});

const MACHINE = {
  lo: [ipv4('127.0.0.1', true), ipv6('::1', true)],
  eth0: [ipv4('192.0.2.7'), ipv6('2001:db8::7'), ipv6('fe80::1')],
  eth1: [ipv4('169.254.3.4'), ipv4('198.51.100.7')],
};
const V4 = ['192.0.2.7', '198.51.100.7', '127.0.0.1'];
const V6 = ['2001:db8::7', '::1'];

describe('Workers listen', () => {
  const cases: readonly [string, readonly RtcAddress[], readonly string[]][] = [
    ['at every address that is not link-local, loopback last, when none is configured', [], [...V4, ...V6]],
    [
      'at those that are configured, in their order',
      [{ ip: '::1' }, { ip: '127.0.0.1' }],
      ['::1', '127.0.0.1'],
    ],
    ['at all of IPv4 for 0.0.0.0', [{ ip: '0.0.0.0' }], V4],
    ['at all of IPv6 for ::', [{ ip: '::' }], V6],
    [
      'once at an address that is named twice',
      [{ ip: '127.0.0.1' }, { ip: '0.0.0.0' }],
      ['127.0.0.1', '192.0.2.7', '198.51.100.7'],
    ],
    [
      'at 0.0.0.0 itself when it is announced as something',
      [{ ip: '0.0.0.0', announcedAddress: '203.0.113.9' }],
      ['0.0.0.0'],
    ],
  ];
  for (const [name, configured, expected] of cases) {
    test(name, () => {
      const chosen = listenAddresses(configured, MACHINE).map(({ ip }) => ip);
      assert.deepEqual(chosen, expected);
    });
  }

  test('and announce what is configured', () => {
    const address = { ip: '192.0.2.7', announcedAddress: '203.0.113.9' };
    assert.deepEqual(listenAddresses([address], MACHINE), [address]);
  });

  test('nowhere on a machine without addresses', () => {
    assert.deepEqual(listenAddresses([], {}), []);
  });
});
