import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { platform } from 'node:os';
import { test } from 'node:test';
import { parseUdpTable, udpDrops } from './udp-drops.ts';

const TABLE = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  109: 0100007F:AFEE 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 26180 2 0000000000000000 0
  110: 00000000000000000000000001000000:AFEF 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 26181 2 0000000000000000 42
`;

test('A table of UDP sockets is read, of either family', () => {
  assert.deepEqual(parseUdpTable(TABLE), [
    [45038, 0],
    [45039, 42],
  ]);
});

test('What is no table has no sockets', () => {
  assert.deepEqual(parseUdpTable(''), []);
  assert.deepEqual(parseUdpTable('header\nnonsense\n\n'), []);
});

test('The sockets of this machine are found by their ports', { skip: platform() !== 'linux' }, async () => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  try {
    const { port } = socket.address();
    assert.deepEqual(await udpDrops(new Set([port])), new Map([[port, 0]]));
  } finally {
    socket.close();
  }
});
