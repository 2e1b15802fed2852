import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { probePort, usableAddresses } from './port-probe.ts';

/** Runs with a UDP socket at a port of 127.0.0.1. */
async function withUdp(use: (port: number) => Promise<void>): Promise<void> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  try {
    await use(socket.address().port);
  } finally {
    socket.close();
  }
}

describe('A media port is', () => {
  test('busy where UDP is taken', () =>
    withUdp(async (port) => assert.equal(await probePort('127.0.0.1', port), 'busy')));

  test('busy where only TCP is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const address = server.address();
      assert.ok(address && typeof address === 'object');
      assert.equal(await probePort('127.0.0.1', address.port), 'busy');
    } finally {
      server.close();
    }
  });

  test('unavailable at an address that this machine does not have', async () => {
    assert.equal(await probePort('203.0.113.77', 0), 'unavailable');
  });

  test('free otherwise, and still free after it was probed', async () => {
    assert.equal(await probePort('127.0.0.1', 0), 'free');
  });
});

describe('Of the addresses to listen at', () => {
  test('those that the machine lacks are left out', async () => {
    const here = { ip: '127.0.0.1' };
    const away = { ip: '203.0.113.77' };
    assert.deepEqual(await usableAddresses([away, here], 0), { usable: [here], unavailable: [away] });
  });

  test('one whose port is taken fails the start and names the setting', () =>
    withUdp(async (port) => {
      await assert.rejects(usableAddresses([{ ip: '127.0.0.1' }], port), (error: Error) => {
        assert.match(error.message, new RegExp(`port ${port} is taken at 127\\.0\\.0\\.1`));
        assert.match(error.message, /MILLRACE_RTC_PORT/);
        return true;
      });
    }));

  test('at least one must be left', async () => {
    await assert.rejects(
      usableAddresses([{ ip: '203.0.113.77' }], 0),
      /203\.0\.113\.77.*MILLRACE_RTC_LISTEN/,
    );
    await assert.rejects(usableAddresses([], 0), /MILLRACE_RTC_LISTEN/);
  });
});
