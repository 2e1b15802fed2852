import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { it } from 'node:test';
import { machineNames, servedNames } from './names.ts';

const address = (text: string) => ({ address: text }) as NetworkInterfaceInfo;

it('a certificate is for localhost, the host’s name and every address but link-local ones', () => {
  const names = machineNames('mill', {
    lo: [address('127.0.0.1'), address('::1')],
    eth0: [address('192.0.2.7'), address('fe80::1'), address('169.254.3.4'), address('2001:db8::7')],
  });
  assert.deepEqual(names, ['localhost', '127.0.0.1', '::1', 'mill', '192.0.2.7', '2001:db8::7']);
});

it('a host name that is no DNS name is left out of the certificate', () => {
  assert.deepEqual(machineNames('Müller’s Rechner', {}), ['localhost', '127.0.0.1', '::1']);
});

it('a certificate need only name this machine while nobody else is served', () => {
  const all = machineNames('mill', { eth0: [address('192.0.2.7')] });
  assert.deepEqual(servedNames('127.0.0.1', all), ['localhost', '127.0.0.1', '::1']);
  assert.deepEqual(servedNames('0.0.0.0', all), all);
});
