import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Reached, readyBlock, readyRecord, urls } from './ready.ts';

const here: Reached = {
  version: '0.1.0',
  listen: { host: '127.0.0.1', port: 8443 },
  tls: 'self-signed',
  localListen: { host: '127.0.0.1', port: 8080 },
  metricsListen: { host: '127.0.0.1', port: 9464 },
  rtcPorts: [20_000, 20_001],
  auth: undefined,
  startedInMs: 812,
};
const own = ['192.0.2.7', '2001:db8::7'];

describe('the addresses of a server', () => {
  it('that serves this machine are those which browsers trust', () => {
    assert.deepEqual(urls(here, own), {
      pages: ['http://localhost:8080', 'https://localhost:8443'],
      webSockets: ['wss://localhost:8443', 'ws://localhost:8080'],
      metrics: 'http://127.0.0.1:9464/metrics',
    });
  });

  it('that serves the network are all that the machine has', () => {
    const { pages } = urls({ ...here, listen: { host: '::', port: 8443 }, localListen: undefined }, own);
    assert.deepEqual(pages, [
      'https://localhost:8443',
      'https://192.0.2.7:8443',
      'https://[2001:db8::7]:8443',
    ]);
  });

  it('are of one family where the server listens on one', () => {
    const { pages } = urls({ ...here, listen: { host: '0.0.0.0', port: 8443 }, localListen: undefined }, own);
    assert.deepEqual(pages, ['https://localhost:8443', 'https://192.0.2.7:8443']);
  });

  it('say http and ws where TLS is off', () => {
    const { pages, webSockets } = urls({ ...here, tls: 'off', localListen: undefined }, own);
    assert.deepEqual([pages, webSockets], [['http://localhost:8443'], ['ws://localhost:8443']]);
  });
});

describe('the ready block', () => {
  it('says that only this machine is served, and how to change that', () => {
    assert.match(readyBlock(here), /MILLRACE_AUTH=off MILLRACE_LISTEN=0\.0\.0\.0:8443 npm start/);
  });

  it('says that everyone may do everything where that is so', () => {
    const block = readyBlock({ ...here, auth: 'off' });
    assert.match(block, /Authorisation is off/);
    assert.doesNotMatch(block, /npm start/);
  });

  it('warns of the certificate only where it is self-signed', () => {
    assert.match(readyBlock(here), /https:\/\/localhost:8443 {3}\(self-signed/);
    assert.doesNotMatch(readyBlock({ ...here, tls: 'named' }), /self-signed/);
  });

  it('names the media ports', () => {
    assert.match(readyBlock(here), /UDP and TCP ports 20000 to 20001/);
    assert.match(readyBlock({ ...here, rtcPorts: [20_000, 20_000] }), /UDP and TCP port 20000\n/);
  });
});

it('the ready record has the ports for scripts', () => {
  const { ports, ms } = readyRecord(here);
  assert.deepEqual(ports, { listen: 8443, local_listen: 8080, metrics_listen: 9464, rtc: [20_000, 20_001] });
  assert.equal(ms, 812);
});
