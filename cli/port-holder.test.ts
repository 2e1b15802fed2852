import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { it } from 'node:test';
import { portHolder } from './port-holder.ts';

for (const host of ['127.0.0.1', '::1']) {
  it(`the holder of a busy port at ${host} is named with its process id`, {
    skip: process.platform !== 'linux',
  }, async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    try {
      const holder = portHolder((server.address() as AddressInfo).port) ?? '';
      assert.match(holder, new RegExp(`node.* \\(process ${process.pid}\\)$`));
    } finally {
      server.close();
    }
  });
}

it('a port that nobody holds has no holder', () => {
  assert.equal(portHolder(1, '/nowhere'), undefined);
});
