import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Browser } from 'puppeteer-core';
import type { AnyServe } from '../../adapters/channel/websocket/answering.ts';
import { ChannelServer } from '../../adapters/channel/websocket/server.ts';
import type { StreamName } from '../../core/protocol/stream-name.ts';
import { ensureWorker } from '../../media-server/worker/cache.js';
import type { ReceiverNotice, ReceiverOrder } from '../../recorder/supervisor-message.ts';
import { launchBrowser } from '../harness/browser.ts';
import { eventually } from '../harness/condition.ts';
import { type Rig, startRig } from '../media-server/harness/rig.ts';
import { Listener } from './harness/listener.ts';
import { openPublisher } from './harness/publisher.ts';

const PROGRAM = join(import.meta.dirname, 'harness/receiver-process.ts');
const NOBODY = 'nobody' as StreamName;
const SECRET = randomBytes(32).toString('hex');

describe('The process of a receiver', () => {
  let browser: Browser;
  let rig: Rig;
  before(async () => {
    [browser, rig] = await Promise.all([launchBrowser('chromium'), startRig()]);
  });
  after(async () => {
    await browser.close();
    await rig.close();
  });

  /** The media server's channel, as other processes reach it. */
  async function serve(port = 0): Promise<{ readonly server: ChannelServer; readonly address: string }> {
    const server = new ChannelServer({
      listen: { host: '127.0.0.1', port },
      secrets: () => [Buffer.from(SECRET)],
      maxCallsInFlight: 100,
      onError: (error) => assert.fail(String(error)),
    });
    // The two ends of a channel agree on what its calls hold.
    server.serve('pipes', rig.server.servePipes as AnyServe);
    await server.listen();
    return { server, address: `ws://127.0.0.1:${server.port}` };
  }

  interface Child {
    readonly process: ChildProcess;
    readonly socketPath: string;
    readonly notices: ReceiverNotice[];
    order(order: ReceiverOrder): void;
    alive(): Extract<ReceiverNotice, { readonly type: 'alive' }> | undefined;
  }

  async function start(t: TestContext): Promise<Child> {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-receiver-'));
    const child = fork(PROGRAM, {
      env: { ...process.env, MILLRACE_WORKER_BIN: await ensureWorker(), CHANNEL_SECRET: SECRET },
    });
    const notices: ReceiverNotice[] = [];
    // The other end is the same program.
    child.on('message', (notice) => notices.push(notice as ReceiverNotice));
    t.after(() => {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true });
    });
    return {
      process: child,
      socketPath: join(folder, 'socket'),
      notices,
      order: (order) => void child.send(order),
      alive: () => notices.findLast((notice) => notice.type === 'alive'),
    };
  }

  test('does what its supervisor orders, over a real channel, and goes on when that comes back', async (t) => {
    const publisher = await openPublisher(browser, rig, 'a');
    t.after(() => publisher.page.close());
    await publisher.publish();
    const { server, address } = await serve();
    t.after(() => server.close());
    const child = await start(t);
    const { socketPath } = child;
    child.order({ type: 'start', stream: 'a' as StreamName, socketPath, source: null });
    await eventually('to be ready', () => child.notices[0]?.type === 'ready');
    const listener = await Listener.connect(socketPath);
    t.after(() => listener.close());
    await eventually('a sign of life', () => child.alive());
    assert.equal(child.alive()?.receiving, false);
    child.order({ type: 'source', source: { address, epoch: 1 } });
    await eventually('to receive', () => child.alive()?.receiving === true);
    await eventually('packets', () => listener.of('rtp').length > 100);
    const { port } = server;
    await server.close();
    await eventually('the tracks to end', () => listener.of('ended').length === 2);
    await eventually('to be told', () => child.alive()?.receiving === false);
    const again = await serve(port);
    t.after(() => again.server.close());
    await eventually('media again', () => listener.packets(listener.track('video')).length > 20);
    await eventually('to be told', () => child.alive()?.receiving === true);
    assert.equal(listener.of('track').length, 4);
  });

  test('says what hinders it, and is silent for as long as nothing came', async (t) => {
    const { server, address } = await serve();
    t.after(() => server.close());
    const child = await start(t);
    child.order({
      type: 'start',
      stream: NOBODY,
      socketPath: child.socketPath,
      source: { address, epoch: 1 },
    });
    const message = await eventually('what hinders it', () => child.alive()?.message);
    assert.match(message, /nobody/);
    await eventually('its silence', () => (child.alive()?.silentMs ?? 0) > 1000);
  });

  test('ends when its worker dies, so that it is started anew', async (t) => {
    const child = await start(t);
    const { socketPath } = child;
    child.order({ type: 'start', stream: NOBODY, socketPath, source: null });
    await eventually('to be ready', () => child.notices[0]?.type === 'ready');
    const [worker] = childrenOf(child.process.pid ?? -1);
    assert.ok(worker);
    process.kill(worker, 'SIGKILL');
    const [code] = await once(child.process, 'exit');
    assert.equal(code, 1);
  });

  test('ends with its supervisor, its worker too, whatever the signals before', async (t) => {
    const child = await start(t);
    const { socketPath } = child;
    child.order({ type: 'start', stream: NOBODY, socketPath, source: null });
    await eventually('to be ready', () => child.notices[0]?.type === 'ready');
    const [worker] = childrenOf(child.process.pid ?? -1);
    assert.ok(worker);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) child.process.kill(signal);
    const told = child.notices.length;
    await eventually('more signs of life', () => child.notices.length > told + 1);
    child.process.disconnect();
    const [code] = await once(child.process, 'exit');
    assert.equal(code, 0);
    await eventually('its worker to end', () => !isAlive(worker), { everyMs: 10 });
  });
});

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
