import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { echoing, LONG_MS, named, type TrialCalls, until } from '../../../core/channel/conformance-trial.ts';
import type { Gone } from './gone.ts';
import { connect, startChannelServer } from './harness/connection.ts';
import { startNetwork } from './harness/network.ts';

const HEARTBEAT_MS = 50;
const limits = { heartbeatMs: HEARTBEAT_MS, resumeMs: 10 * HEARTBEAT_MS };

async function openThroughNetwork(t: TestContext) {
  const goneThere: Gone[] = [];
  const goneHere: Gone[] = [];
  const { address } = await startChannelServer(t, () => echoing, {
    limits,
    onGone: (_, gone) => goneThere.push(gone),
  });
  const network = await startNetwork(t, address);
  const channel = connect<TrialCalls, never>(t, network.address, {
    limits,
    onGone: (gone) => goneHere.push(gone),
  });
  await channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS });
  return { channel, network, goneHere, goneThere };
}

describe('Each end knows that the other is gone', () => {
  test('after three heartbeats when nothing gets through', async (t) => {
    const { channel, network, goneHere, goneThere } = await openThroughNetwork(t);
    network.stall();
    const stalledAtMs = performance.now();
    const call = channel.call('echo', { value: 2 }, { timeoutMs: LONG_MS });
    await assert.rejects(call, named('no_media_server'));
    const tookMs = performance.now() - stalledAtMs;
    await until(() => goneThere.length > 0);
    assert.equal(await new Promise((resolve) => channel.onClose(resolve)), 'dead');
    assert.equal(goneHere[0]?.why, 'silent');
    assert.match(goneHere[0].detail, /three heartbeats/);
    assert.equal(goneThere[0]?.why, 'silent');
    assert.ok(tookMs >= 2 * HEARTBEAT_MS, `after ${tookMs} ms already`);
  });

  test('at once when its process is gone, which refuses the connection that is to replace a broken one', async (t) => {
    const { channel, network, goneHere, goneThere } = await openThroughNetwork(t);
    const closed = new Promise((resolve) => channel.onClose(resolve));
    network.close();
    network.reset();
    assert.equal(await closed, 'dead');
    assert.equal(goneHere[0]?.why, 'refused');
    await until(() => goneThere.length > 0);
    assert.equal(goneThere[0]?.why, 'reset');
  });

  test('at once when it is closed', async (t) => {
    const { channel, goneHere, goneThere } = await openThroughNetwork(t);
    channel.close();
    await until(() => goneThere.length > 0);
    assert.equal(goneHere[0]?.why, 'closed_here');
    assert.equal(goneThere[0]?.why, 'closed_there');
  });
});

describe('A channel stays', () => {
  test('when it idles for many heartbeats', async (t) => {
    const { channel, goneHere, goneThere } = await openThroughNetwork(t);
    const idleUntilMs = performance.now() + 12 * HEARTBEAT_MS;
    await until(() => performance.now() > idleUntilMs);
    assert.deepEqual([goneHere, goneThere], [[], []]);
    assert.deepEqual(await channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS }), { value: 1 });
  });

  test('when this process was held up for longer than it takes to call the other end dead', async (t) => {
    const { channel, goneHere, goneThere } = await openThroughNetwork(t);
    for (let round = 0; round < 3; round++) {
      const heldUntilMs = performance.now() + 5 * HEARTBEAT_MS;
      while (performance.now() < heldUntilMs);
      assert.deepEqual(await channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS }), { value: 1 });
    }
    assert.deepEqual([goneHere, goneThere], [[], []]);
  });
});

describe('A channel that cannot be opened is gone,', () => {
  const cause = async (t: TestContext, address: string, options: object = {}) => {
    let gone: Gone | undefined;
    const channel = connect<TrialCalls, never>(t, address, {
      onGone: (told) => {
        gone = told;
      },
      ...options,
    });
    assert.equal(await new Promise((resolve) => channel.onClose(resolve)), 'unreached');
    assert.ok(gone);
    return gone;
  };

  test('refused where nobody listens', async (t) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    assert.equal((await cause(t, `ws://127.0.0.1:${port}`)).why, 'refused');
    assert.equal((await cause(t, 'unix:/nonexistent/channel')).why, 'refused');
  });

  test('silent where nobody answers', async (t) => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const { port } = server.address() as { port: number };
    assert.equal((await cause(t, `ws://127.0.0.1:${port}`, { openTimeoutMs: 50 })).why, 'silent');
  });

  test('rejected where something else answers', async (t) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const { port } = server.address() as { port: number };
    const { why, detail } = await cause(t, `ws://127.0.0.1:${port}`);
    assert.equal(why, 'rejected');
    assert.match(detail, /^200/);
  });

  test('and an address that is none is a mistake of the caller', (t) => {
    for (const address of ['local', 'http://127.0.0.1:1', 'ws://127.0.0.1:1/media', 'unix:relative', '']) {
      assert.throws(() => connect(t, address), TypeError, address);
    }
  });
});

test('Closed ends leave no timer behind', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const { server, address } = await startChannelServer(t, () => echoing);
  const channel = connect<TrialCalls, never>(t, address);
  await channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS });
  channel.close();
  await server.close();
  await until(() => timers() <= before);
});
