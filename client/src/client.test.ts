import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeMediaStream, FakePeerConnection } from '../harness/fake-peer.ts';
import { FakeServer } from '../harness/fake-server.ts';
import { MillraceClient } from './client.ts';
import type { PeerConnectionConstructor } from './peer.ts';

test('Closing gives up what has not begun, and tells the server so', async (t) => {
  const server = await FakeServer.start();
  t.after(() => server.stop());
  server.answer = ({ method }) => (method === 'stream.play' ? null : {});
  const client = new MillraceClient({
    url: server.url,
    // The fakes have what the client uses, not all that the DOM's types ask for.
    RTCPeerConnection: FakePeerConnection as unknown as PeerConnectionConstructor,
    MediaStream: FakeMediaStream as unknown as new () => MediaStream,
  });
  const waiting = client.play('a', { waitMs: 60_000 });
  const refused = assert.rejects(waiting, { errorName: 'closed' });
  await server.until(() => server.of('stream.play').length === 1);
  await client.close();
  await refused;
  assert.equal(client.state, 'closed');
  await server.until(() => server.of('stream.close').length === 1);
  await assert.rejects(client.play('a'), { errorName: 'closed' });
});
