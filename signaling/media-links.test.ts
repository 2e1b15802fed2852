import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChannelEnd } from '../core/channel/channel.ts';
import type { MediaChannel } from '../core/channel/media.ts';
import { MillraceError } from '../core/protocol/index.ts';
import type { NodeEntry, NodeId } from '../core/registry/record.ts';
import { NODE_LEASE_MS, type Registry } from '../core/registry/registry.ts';
import { MediaLinks } from './media-links.ts';

const NODE = 'node-1' as NodeId;

/** Links to one media server, whose channels end as the test says. */
function linked() {
  const ends: ((end: ChannelEnd) => void)[] = [];
  const lost: ChannelEnd[] = [];
  let nowMs = 1000;
  const links = new MediaLinks({
    registry: { nodes: async () => [{ id: NODE } as NodeEntry] } as unknown as Registry,
    mediaChannel: () =>
      ({
        call: async () => ({}),
        onNotice: () => () => {},
        onClose: (listener) => ends.push(listener),
        close: () => {},
      }) as MediaChannel,
    onNotice: () => {},
    onLost: (_, end) => lost.push(end),
    now: () => nowMs,
  });
  return {
    links,
    lost,
    call: () => links.call(NODE, 'stream', { stream: 'a' as never }, 100),
    end: (end: ChannelEnd) => ends.at(-1)?.(end),
    opened: () => ends.length,
    wait: (ms: number) => {
      nowMs += ms;
    },
  };
}

const gone = (error: unknown) => error instanceof MillraceError && error.errorName === 'no_media_server';

describe('A link to a media server', () => {
  test('is opened once for many calls', async () => {
    const { call, opened } = linked();
    await Promise.all([call(), call()]);
    await call();
    assert.equal(opened(), 1);
  });

  for (const end of ['closed', 'dead'] as const) {
    test(`that is ${end} has lost what was there`, async () => {
      const { call, lost, end: endWith } = linked();
      await call();
      endWith(end);
      assert.deepEqual(lost, [end]);
    });
  }

  test('that was never open has lost nothing', async () => {
    const { call, lost, end } = linked();
    await call();
    end('unreached');
    assert.deepEqual(lost, []);
  });

  test('that was closed is opened again by the next call', async () => {
    const { call, end, opened, links } = linked();
    await call();
    end('closed');
    assert.equal(links.reaches(NODE), true);
    await call();
    assert.equal(opened(), 2);
  });

  for (const end of ['dead', 'unreached'] as const) {
    test(`that is ${end} is not tried again before its lease tells whether it lives`, async () => {
      const { call, end: endWith, opened, links, wait } = linked();
      await call();
      endWith(end);
      assert.equal(links.reaches(NODE), false);
      await assert.rejects(call(), gone);
      assert.equal(opened(), 1);
      wait(NODE_LEASE_MS);
      assert.equal(links.reaches(NODE), true);
      await call();
      assert.equal(opened(), 2);
    });
  }
});
