import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import type { MillraceError } from '../../core/protocol/error.ts';
import type { StreamName } from '../../core/protocol/stream-name.ts';
import type { NodeId, NodeRecord } from '../../core/registry/record.ts';
import { eventually } from '../harness/condition.ts';
import { offer, SETTINGS, session, startRig } from './harness/rig.ts';

const A = 'a' as StreamName;
const OTHER: NodeRecord = {
  id: 'other' as NodeId,
  address: 'other:1',
  version: '1',
  state: 'ready',
  load: 0,
  streams: 0,
  viewers: 0,
};

describe('A media server in the registry', () => {
  test('announces itself with what it carries, and is forgotten when it closes', async () => {
    const rig = await startRig();
    const [announced] = await rig.registry.nodes();
    assert.equal(announced?.id, SETTINGS.nodeId);
    await rig.publish('a', session(), offer('chromium-publish-audio-video'));
    await rig.play('a', session(), offer('chromium-play-audio-video'));
    await eventually('the new counts', async () => {
      const [node] = await rig.registry.nodes();
      return node?.streams === 1 && node.viewers === 1 && node.load <= 1;
    });
    await rig.close();
    assert.deepEqual(await rig.registry.nodes(), []);
  });

  test('stops a stream that another node holds with a higher epoch', async (t) => {
    const rig = await startRig();
    t.after(() => rig.close());
    const own = session();
    const { epoch } = await rig.publish('a', own, offer('chromium-publish-audio-video'));
    await rig.registry.announceNode(OTHER);
    const claim = { name: A, node: OTHER.id, session: session(), subject: '', displaces: epoch };
    const { granted } = await rig.registry.claimStream(claim);
    assert.ok(granted);
    await eventually('the stream to stop', () => rig.notices.length > 0);
    assert.deepEqual(rig.notices, [
      { type: 'publish.ended', stream: 'a', session: own, epoch, reason: 'displaced' },
    ]);
    assert.equal((await rig.registry.findStream(A))?.node, OTHER.id);
  });

  test('that was fenced ends everything, says so, and takes nothing more', async (t) => {
    const rig = await startRig();
    t.after(() => rig.close());
    const fenced = new AbortController();
    rig.server.onFenced(() => fenced.abort());
    await rig.publish('a', session(), offer('chromium-publish-audio-video'));
    await rig.registry.fenceNode(SETTINGS.nodeId);
    await once(fenced.signal, 'abort');
    assert.deepEqual(
      rig.notices.map((notice) => (notice.type === 'publish.ended' ? notice.reason : notice.type)),
      ['media_server_lost'],
    );
    assert.deepEqual(rig.workers, []);
    await assert.rejects(
      rig.publish('b', session(), offer('chromium-publish-audio-video'), { epoch: 1 }),
      (error: unknown) => (error as MillraceError).errorName === 'no_media_server',
    );
  });

  test('goes on when the registry is out of reach, and makes up for it', async (t) => {
    const rig = await startRig();
    t.after(() => rig.close());
    const own = session();
    await rig.publish('a', own, offer('chromium-publish-audio-video'));
    const { announceNode, releaseStream } = rig.registry;
    rig.registry.announceNode = () => Promise.reject(new Error('away'));
    rig.registry.releaseStream = () => Promise.reject(new Error('away'));
    await rig.play('a', session(), offer('chromium-play-audio-video'));
    assert.deepEqual(await rig.handlers.close({ stream: A, session: own }), { closed: ['publish'] });
    assert.ok(await rig.registry.findStream(A));
    Object.assign(rig.registry, { announceNode, releaseStream });
    await eventually('the release', async () => !(await rig.registry.findStream(A)));
  });
});
