import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openClient } from '../client/client-page.ts';
import { eventually } from '../harness/condition.ts';
import { Fixture } from '../harness/fixture.ts';
import type { DocumentClientPage } from '../harness/page.ts';
import { COLOURS, seesMovingPicture } from '../harness/viewing.ts';
import { openPage } from '../whip/harness/clients.ts';
import { startCoturn } from './harness/coturn.ts';

const ADDRESS = '10.99.0.1';
const PORT = 3478;
const SECRET = 'a secret that both of them know, and nobody else';

const coturn = await startCoturn({ address: ADDRESS, port: PORT, secret: SECRET });
after(() => coturn.stop());
const fixture = await Fixture.start({
  MILLRACE_WORKERS: '1',
  MILLRACE_ICE_SERVERS: `turn:${ADDRESS}:${PORT}?transport=udp`,
  MILLRACE_TURN_SECRET: SECRET,
});

/** From now on the page's connections may use nothing but relays. */
const RELAY_ONLY = `
globalThis.peers = [];
globalThis.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(configuration = {}) {
    super({ ...configuration, iceTransportPolicy: 'relay' });
    peers.push(this);
  }
};`;
const LOCAL_TYPE = `peers.at(-1).getStats().then((stats) => {
  const all = [...stats.values()];
  const { selectedCandidatePairId } = all.find(({ type }) => type === 'transport');
  return stats.get(stats.get(selectedCandidatePairId)?.localCandidateId)?.candidateType ?? null;
})`;

async function demandRelay(page: DocumentClientPage): Promise<void> {
  await eventually('a relayed connection', async () => (await page.run(LOCAL_TYPE)) === 'relay');
}

test('the client publishes and plays through TURN only, with the credentials that the server gives it', async () => {
  const publisher = await openClient(fixture, 'chromium');
  const viewer = await openClient(fixture, 'chromium');
  for (const page of [publisher, viewer]) await page.page.evaluate(RELAY_ONLY);
  await publisher.run(`startPublish('relayed', ${JSON.stringify({ pattern: { colour: COLOURS.green } })})`);
  await viewer.run(`startPlay('relayed', { waitMs: 20000 })`);
  for (const page of [publisher, viewer]) await demandRelay(page);
  await viewer.page.bringToFront();
  await eventually(
    'green pictures',
    async () => {
      const [, green = 0] = await viewer.run<number[]>('look()');
      return (await viewer.run<number>('frames.length')) > 10 && green > 100;
    },
    { timeoutMs: 30_000 },
  );
  for (const page of [publisher, viewer]) {
    await page.run('client.close()');
    await page.close();
  }
});

test('WHIP and WHEP name the TURN server in their Link headers, and it takes what they name', async () => {
  const publisher = await openPage('chromium by WHIP', fixture);
  const viewer = await openPage('chromium by WHIP', fixture);
  for (const [page, path, run] of [
    [
      publisher,
      'whip',
      `documentClient.publish(session, 'linked', ${JSON.stringify({ colour: COLOURS.blue })})`,
    ],
    [viewer, 'whep', `documentClient.play(session, 'linked')`],
  ] as const) {
    // A browser takes ICE servers before the offer only, so it asks by OPTIONS.
    const link = await page.run<string>(
      `fetch('/${path}/linked', { method: 'OPTIONS', headers: { Authorization: 'Bearer anything' } }).then((r) => r.headers.get('link'))`,
    );
    const match = /^<(turn:[^>]+)>; rel="ice-server"; username="([^"]+)"; credential="([^"]+)"/.exec(link);
    assert.ok(match, link);
    const [, urls, username, credential] = match;
    await page.page.evaluate(`${RELAY_ONLY}
      globalThis.RTCPeerConnection = class extends globalThis.RTCPeerConnection {
        constructor() { super({ iceServers: [${JSON.stringify({ urls, username, credential })}] }); }
      };`);
    await page.run(`${run}.then((it) => { globalThis.playback = it; return null; })`);
    await demandRelay(page);
  }
  await seesMovingPicture(viewer, 'blue');
  await publisher.close();
  await viewer.close();
});

test('credentials that were made up, or have expired, open nothing', async () => {
  const page = await openPage('chromium by WHIP', fixture);
  const errors = await page.run<number[]>(`(async () => {
    const codes = [];
    for (const username of ['${Math.floor(Date.now() / 1000) + 3600}:x', '1000000000:x']) {
      const peer = new RTCPeerConnection({
        iceTransportPolicy: 'relay',
        iceServers: [{ urls: 'turn:${ADDRESS}:${PORT}?transport=udp', username, credential: 'bWFkZSB1cA==' }],
      });
      const failed = new Promise((resolve) => { peer.onicecandidateerror = ({ errorCode }) => resolve(errorCode); });
      peer.createDataChannel('x');
      await peer.setLocalDescription();
      codes.push(await failed);
      peer.close();
    }
    return codes;
  })()`);
  assert.deepEqual(errors, [401, 401]);
  await page.close();
});
