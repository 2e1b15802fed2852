import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { it } from 'node:test';
import { describeHolder, findHolder } from './port-holder.ts';

for (const host of ['127.0.0.1', '::1']) {
  it(`the holder of a busy port at ${host} is named with its process id`, {
    skip: process.platform !== 'linux',
  }, async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    try {
      const holder = findHolder((server.address() as AddressInfo).port);
      assert.ok(holder);
      assert.equal(holder.parentPid, process.ppid);
      assert.match(describeHolder(holder), new RegExp(`node.* \\(process ${process.pid}\\)$`));
    } finally {
      server.close();
    }
  });
}

it('the holder of a UDP port is named too', { skip: process.platform !== 'linux' }, async () => {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  try {
    assert.equal(findHolder(socket.address().port, 'udp')?.pid, process.pid);
    assert.equal(findHolder(socket.address().port, 'tcp'), undefined);
  } finally {
    socket.close();
  }
});

it('a port that nobody holds has no holder', () => {
  assert.equal(findHolder(1, 'tcp', '/nowhere'), undefined);
});
