import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { pino } from 'pino';
import { createMemoryRegistry } from '../adapters/registry/memory/memory.ts';
import type { EndReason, Track } from '../core/channel/media.ts';
import type { SessionId } from '../core/protocol/session-id.ts';
import type { StreamName } from '../core/protocol/stream-name.ts';
import type { NodeId, NodeRecord } from '../core/registry/record.ts';
import type { Registry } from '../core/registry/registry.ts';
import { Holdings } from './holdings.ts';
import type { Stream } from './stream.ts';

const HERE = 'here' as NodeId;
const ELSEWHERE = 'elsewhere' as NodeId;
const NAME = 'cam' as StreamName;
const TRACKS: readonly Track[] = [{ kind: 'audio', codec: 'opus', encodings: 1 }];
const SESSION = 's'.repeat(22) as SessionId;

const node = (id: NodeId): NodeRecord => ({
  id,
  address: 'local',
  version: '1',
  state: 'ready',
  load: 0,
  streams: 0,
  viewers: 0,
});

/** As much of a stream as its holding needs. */
class HeldStream {
  readonly name = NAME;
  readonly subject = 'ann';
  readonly epoch: number;
  endedFor: EndReason | undefined;

  constructor(epoch: number) {
    this.epoch = epoch;
  }

  get ended(): boolean {
    return this.endedFor !== undefined;
  }

  end(reason: EndReason): void {
    this.endedFor = reason;
  }

  displaced(): void {
    this.end('displaced');
  }

  glance() {
    return { session: SESSION, sinceMs: 7, tracks: TRACKS, epoch: this.epoch };
  }
}

describe('What a node holds in the registry:', () => {
  let registry: Registry;

  const claim = async (on: NodeId, displaces?: number): Promise<number> => {
    const more = displaces === undefined ? {} : { displaces };
    const result = await registry.claimStream({
      name: NAME,
      node: on,
      session: SESSION,
      subject: 'ann',
      ...more,
    });
    assert.ok(result.granted);
    return result.epoch;
  };
  const holdings = (stream: HeldStream | undefined, from: Registry = registry) => {
    const streams = {
      names: stream ? [NAME] : [],
      get: () => (stream && !stream.ended ? (stream as unknown as Stream) : undefined),
    };
    return new Holdings(from, HERE, streams, pino({ level: 'silent' }));
  };
  /** A round of checks: the first call begins it. */
  const round = async (held: Holdings) => {
    await held.check();
    await held.check();
  };

  beforeEach(async () => {
    registry = createMemoryRegistry();
    await registry.announceNode(node(HERE));
    await registry.announceNode(node(ELSEWHERE));
  });

  test('a stream that is held as it should be is left alone', async () => {
    const stream = new HeldStream(await claim(HERE));
    await round(holdings(stream));
    assert.equal(stream.endedFor, undefined);
  });

  test('a stream whose tracks the registry could not take is described, once', async () => {
    const stream = new HeldStream(await claim(HERE));
    const held = holdings(stream);
    const changes: string[] = [];
    registry.watchStream(NAME, ({ type }) => changes.push(type));
    await round(held);
    await round(held);
    assert.deepEqual((await registry.findStream(NAME))?.tracks, TRACKS);
    assert.deepEqual(changes, ['claimed', 'described']);
  });

  test('a stream that the registry lost is announced again, with the subject that it had', async () => {
    const stream = new HeldStream(await claim(HERE));
    const held = holdings(stream);
    await round(held);
    const emptied = createMemoryRegistry();
    await emptied.announceNode(node(HERE));
    const findStream = registry.findStream.bind(registry);
    registry.findStream = (name) => emptied.findStream(name);
    registry.reannounceStream = (record) => emptied.reannounceStream(record);
    await round(held);
    registry.findStream = findStream;
    const record = await emptied.findStream(NAME);
    assert.equal(record?.epoch, stream.epoch);
    assert.equal(record?.subject, 'ann');
    assert.equal(stream.endedFor, undefined);
  });

  test('of a registry that may have lost anything none is asked, all are announced', async () => {
    const stream = new HeldStream(await claim(HERE));
    const held = holdings(stream);
    await round(held);
    const emptied = createMemoryRegistry();
    await emptied.announceNode(node(HERE));
    // It says of nothing that it is not there, before it was told.
    const { findStream } = emptied;
    emptied.findStream = () => Promise.reject(new Error('came back empty a moment ago'));
    const told = new Holdings(
      emptied,
      HERE,
      { names: [NAME], get: () => stream as unknown as Stream },
      pino({ level: 'silent' }),
    );
    told.announceAll();
    await told.check();
    assert.equal((await findStream(NAME))?.epoch, stream.epoch);
    assert.equal(stream.endedFor, undefined);
  });

  test('a stream that is announced to a registry with a higher epoch for it elsewhere is stopped', async () => {
    const epoch = await claim(HERE);
    const stream = new HeldStream(epoch);
    await claim(ELSEWHERE, epoch);
    const held = holdings(stream);
    held.announceAll();
    await held.check();
    assert.equal(stream.endedFor, 'displaced');
  });

  test('a stream that is announced while its next publish here is on its way goes on', async () => {
    const epoch = await claim(HERE);
    const stream = new HeldStream(epoch);
    await claim(HERE, epoch);
    const held = holdings(stream);
    held.announceAll();
    await held.check();
    assert.equal(stream.endedFor, undefined);
  });

  test('a registry that refuses a release while it is being told is told all the same', async () => {
    const stream = new HeldStream(await claim(HERE));
    const held = holdings(stream);
    const emptied = createMemoryRegistry();
    await emptied.announceNode(node(HERE));
    registry.reannounceStream = (record) => emptied.reannounceStream(record);
    registry.releaseStream = () => Promise.reject(new Error('came back empty a moment ago'));
    await held.release('gone' as StreamName, 1);
    held.announceAll();
    await assert.rejects(held.check(), /came back empty/);
    assert.equal((await emptied.findStream(NAME))?.epoch, stream.epoch);
  });

  test('what could not be announced is announced with the next check', async () => {
    const stream = new HeldStream(await claim(HERE));
    const held = holdings(stream);
    const { reannounceStream } = registry;
    let announced = 0;
    registry.reannounceStream = () => Promise.reject(new Error('away'));
    held.announceAll();
    await assert.rejects(held.check());
    registry.reannounceStream = (record) => {
      announced += 1;
      return reannounceStream(record);
    };
    await held.check();
    await held.check();
    assert.equal(announced, 1);
  });

  test('a stream that another node holds with a higher epoch is stopped', async () => {
    const epoch = await claim(HERE);
    const stream = new HeldStream(epoch);
    await claim(ELSEWHERE, epoch);
    await round(holdings(stream));
    assert.equal(stream.endedFor, 'displaced');
  });

  test('a higher epoch on this node is a publish on its way, and stops nothing', async () => {
    const epoch = await claim(HERE);
    const stream = new HeldStream(epoch);
    await claim(HERE, epoch);
    await round(holdings(stream));
    assert.equal(stream.endedFor, undefined);
  });

  test('a stream whose claim was released is stopped', async () => {
    const stream = new HeldStream(await claim(HERE));
    await registry.releaseStream(NAME, stream.epoch);
    await round(holdings(stream));
    assert.equal(stream.endedFor, 'displaced');
  });

  test('a release that the registry could not take is made up for', async () => {
    const epoch = await claim(HERE);
    const held = holdings(undefined);
    const releaseStream = registry.releaseStream.bind(registry);
    registry.releaseStream = () => Promise.reject(new Error('away'));
    await held.release(NAME, epoch);
    registry.releaseStream = releaseStream;
    assert.ok(await registry.findStream(NAME));
    await held.check();
    assert.equal(await registry.findStream(NAME), undefined);
  });
});
