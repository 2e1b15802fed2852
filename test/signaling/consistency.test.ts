import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publicSessionId, type SessionId, type StreamName } from '../../core/protocol/index.ts';
import { type TestClient, until } from './client.ts';
import { startServer, type TestServer } from './server.ts';

const STREAMS = ['a', 'b', 'c'];
const SEEDS = [1, 2, 3, 4];
const STEPS = 250;

for (const seed of SEEDS) {
  test(`whatever clients do, all agree in the end who holds what (seed ${seed})`, async (t) => {
    const random = mulberry32(seed);
    const server = await startServer(t, { resumeMs: 400, requestTimeoutMs: 2000 });
    const { media, connect } = server;
    media.delay = () => new Promise((resolve) => setTimeout(resolve, random() * 3));
    const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
    const everyone: TestClient[] = [];
    const newcomer = async () => {
      const client = await connect(pick(['', '?events=1']));
      everyone.push(client);
      return client;
    };
    const clients: TestClient[] = [];
    for (let count = 0; count < 5; count += 1) clients.push(await newcomer());
    const sessions: string[] = [];

    for (let step = 0; step < STEPS; step += 1) {
      const index = Math.floor(random() * clients.length);
      const client = clients[index] as TestClient;
      const fields = { id: step };
      const stream = pick(STREAMS);
      switch (pick(['publish', 'publish', 'play', 'play', 'close', 'mute', 'leave', 'silence', 'pause'])) {
        case 'publish':
          client.send('stream.publish', stream, { sdp: pick(['x', 'y', 'broken']) }, fields);
          break;
        case 'play':
          client.send('stream.play', stream, { sdp: 'v', wait_ms: pick([0, 0, 20, 200]) }, fields);
          break;
        case 'close':
          client.send('stream.close', stream, pick([{}, { role: 'play' }, { role: 'publish' }]), fields);
          break;
        case 'mute':
          client.send('stream.mute', stream, { video: pick([true, false]) }, fields);
          break;
        case 'leave': {
          sessions.push(client.session);
          if (pick([true, false])) client.socket.terminate();
          const next = await newcomer();
          clients[index] = next;
          // Some come back for a session that they, or another one, had.
          if (pick([true, false])) {
            next.send('stream.heartbeat', '', {}, { session: pick(sessions), id: step });
          }
          break;
        }
        case 'silence': {
          const held = media.streams.get(stream as StreamName);
          if (held !== undefined) held.live = false;
          break;
        }
        case 'pause':
          await new Promise((resolve) => setTimeout(resolve, random() * 5));
      }
    }
    await until('all agree', () => agreed(server));
    for (const client of everyone) client.socket.terminate();
    await until('everything is released', () => released(server));
  });
}

/** Media server, registry and sessions name the same streams, publishers and viewers. */
async function agreed({ media, registry, http }: TestServer): Promise<boolean> {
  const published = [...media.streams]
    .map(([name, { epoch, session }]) => `${name} ${epoch} ${session}`)
    .sort();
  const claimed = (await registry.streams({ limit: 100 }))
    .map((s) => `${s.name} ${s.epoch} ${s.session}`)
    .sort();
  const carried = [...media.streams].flatMap(([name, { session, plays }]) => [
    `${name} publish ${publicSessionId(session)}`,
    ...[...plays.keys()].map((viewer) => `${name} play ${publicSessionId(viewer as SessionId)}`),
  ]);
  const body = (await (await fetch(`${http}/api/v1/sessions?limit=1000`)).json()) as {
    sessions: { id: string; holds: { stream: string; role: string }[] }[];
  };
  const held = body.sessions.flatMap(({ id, holds }) =>
    holds.map(({ stream, role }) => `${stream} ${role} ${id}`),
  );
  return same(published, claimed) && same(carried.sort(), held.sort());
}

async function released({ media, registry }: TestServer): Promise<boolean> {
  const [streams, sessions] = [await registry.streams({ limit: 1 }), await registry.sessions({ limit: 1 })];
  return media.streams.size + streams.length + sessions.length === 0;
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** Numbers in [0, 1) that are the same for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

test('the sequence of a seed is the same each time', () => {
  const [a, b] = [mulberry32(7), mulberry32(7)];
  assert.deepEqual([a(), a(), a()], [b(), b(), b()]);
});
