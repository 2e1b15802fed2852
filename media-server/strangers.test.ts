import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { createMemoryRegistry } from '../adapters/registry/memory/memory.ts';
import type { SessionId } from '../core/protocol/session-id.ts';
import type { StreamName } from '../core/protocol/stream-name.ts';
import type { NodeId } from '../core/registry/record.ts';
import { Strangers } from './strangers.ts';
import type { Stream } from './stream.ts';

const HERE = 'here' as NodeId;
const session = 's'.repeat(22) as SessionId;
const name = (text: string) => text as StreamName;

test('What the registry says a node holds and it does not is released, once nobody can be coming with it', async () => {
  const registry = createMemoryRegistry();
  const elsewhere = 'elsewhere' as NodeId;
  const epochs = new Map<string, number>();
  for (const [stream, node] of [
    ['held', HERE],
    ['stranger', HERE],
    ['late', HERE],
    ['other', elsewhere],
  ] as const) {
    await registry.announceNode({
      id: node,
      address: 'local',
      version: '1',
      state: 'ready',
      load: 0,
      streams: 0,
      viewers: 0,
    });
    const claim = await registry.claimStream({ name: name(stream), node, session, subject: '' });
    if (claim.granted) epochs.set(stream, claim.epoch);
  }
  const here = new Set<string>(['held']);
  const streams = {
    get: (stream: StreamName) =>
      here.has(stream) ? ({ epoch: epochs.get(stream) } as unknown as Stream) : undefined,
  };
  let nowMs = 0;
  const strangers = new Strangers(registry, HERE, streams, pino({ level: 'silent' }), () => nowMs);
  const listed = async () => (await registry.streams({ limit: 10 })).map((stream) => stream.name as string);
  for (; nowMs < 30_000; nowMs += 1000) await strangers.check();
  assert.deepEqual(await listed(), ['held', 'late', 'other', 'stranger']);
  here.add('late');
  await strangers.check();
  assert.deepEqual(await listed(), ['held', 'late', 'other']);
});
