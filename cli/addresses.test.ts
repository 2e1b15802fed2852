import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { checkAddresses } from './addresses.ts';
import { parseArguments } from './arguments.ts';
import { mediaPortProblems } from './media-ports.ts';
import { readSettings } from './read-settings.ts';

describe('addresses that are taken', () => {
  it('are all named at once with their holder, media ports that only UDP holds too', async (t) => {
    const tcp = createServer().listen(0, '127.0.0.1');
    const udp = createSocket('udp4').bind(0, '127.0.0.1');
    t.after(() => tcp.close());
    t.after(() => udp.close());
    await Promise.all([once(tcp, 'listening'), once(udp, 'listening')]);
    const address = tcp.address();
    assert.ok(address !== null && typeof address === 'object');
    const { port } = udp.address();
    const flags = [
      `--listen=127.0.0.1:${address.port}`,
      '--local-listen=off',
      '--metrics-listen=off',
      '--rtc-listen=127.0.0.1',
      `--rtc-port=${port}`,
      '--workers=1',
    ];
    const { settings } = readSettings(parseArguments(flags), {});
    await assert.rejects(
      checkAddresses(settings, ['listen', 'localListen', 'metricsListen'], await mediaPortProblems(settings)),
      ({ message }: Error) => {
        assert.match(
          message,
          new RegExp(`127\\.0\\.0\\.1:${address.port} is taken by .*\\(process ${process.pid}\\)`),
        );
        assert.match(message, new RegExp(`Media port ${port} is taken by .*\\(process ${process.pid}\\)\\.`));
        assert.match(message, /choose another port: MILLRACE_RTC_PORT=\d+$/m);
        return true;
      },
    );
  });
});
