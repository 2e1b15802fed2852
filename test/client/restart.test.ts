import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { launchBrowser } from '../harness/browser.ts';
import { eventually } from '../harness/condition.ts';
import { type ServerProcess, startServer } from '../harness/server.ts';
import { openClient } from './client-page.ts';

const PORTS = {
  MILLRACE_WORKERS: '1',
  MILLRACE_LOCAL_LISTEN: '127.0.0.1:40510',
  MILLRACE_LISTEN: '127.0.0.1:40511',
  MILLRACE_RTC_PORT: '40512',
};

let server: ServerProcess = await startServer(PORTS);
const running = await launchBrowser('chromium');
after(async () => {
  await running.close();
  await server.stop();
});

test('After a server was killed and started again, publisher and viewer go on by themselves', async () => {
  const place = {
    server: { httpUrl: 'http://localhost:40510', wsUrl: 'ws://localhost:40510' },
    browser: async () => running,
  };
  const publisher = await openClient(place, 'chromium');
  const viewer = await openClient(place, 'chromium');
  await publisher.run(`startPublish('restart')`);
  await viewer.run(`startPlay('restart')`);
  const moving = async (): Promise<void> => {
    const seen = await viewer.run<number>('frames.length');
    await eventually('moving pictures', async () => {
      if ((await viewer.run<number>('frames.length')) > seen + 10) return true;
      throw new Error(JSON.stringify([await viewer.run('log'), await publisher.run('log')]));
    });
  };
  await moving();
  const before = await publishedBy();

  server.process.kill('SIGKILL');
  await eventually('the loss to be seen', () => publisher.run<boolean>(`client.state === 'reconnecting'`));
  server = await startServer(PORTS);
  await eventually('the new connection', () => viewer.run<boolean>(`log.includes('play moved')`), {
    timeoutMs: 40_000,
  });
  await moving();
  assert.notEqual(await publishedBy(), before);
  assert.equal(await viewer.run('playback.ended'), null);
});

async function publishedBy(): Promise<string> {
  const reply = await fetch('http://localhost:40510/api/v1/streams/restart');
  return ((await reply.json()) as { session: string }).session;
}
