import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ERROR_CODES } from '../../core/protocol/index.ts';
import { Cluster } from '../cluster-processes/harness/cluster.ts';
import { longestFreezeMs } from '../cluster-processes/harness/freeze.ts';
import { eventually } from '../harness/condition.ts';
import { COLOURS, seesMovingPicture, succeeded } from '../harness/viewing.ts';
import { offer } from '../media-server/harness/rig.ts';
import { type Message, TestClient } from '../signaling/client.ts';
import { Crowd, endings } from './harness/crowd.ts';

const CROWD = 40;
/** How long Redis is away; minutes when it is tried by hand (docs/cluster.md). */
const OUTAGE_MS = Number(process.env.OUTAGE_SECONDS ?? 5) * 1000;
/** Clients without media are let go of after half a minute. */
const crowded = OUTAGE_MS < 15_000;

/** A registry's calls are over within 0.9 s; the rest is for a machine that is busy. */
const REFUSED_MS = 1500;

const cluster = await Cluster.start({ signaling: 2, media: 2 });
const [one, two] = [cluster.front(0), cluster.front(1)];
const fronts = [one, two];

async function timed(asked: Promise<Message>): Promise<Message & { readonly ms: number }> {
  const startMs = performance.now();
  const reply = await asked;
  return { ...reply, ms: performance.now() - startMs };
}

/** What Redis itself holds, whatever a registry would say of it. */
async function indexed(): Promise<{
  readonly streams: readonly string[];
  readonly sessions: readonly string[];
}> {
  const streams = (await cluster.redis.command('HKEYS', '{millrace:streams}:streams')) as string[];
  const sessions = (await cluster.redis.command('ZRANGE', '{millrace:sessions}:ids', '0', '-1')) as string[];
  return { streams, sessions };
}

interface Fault {
  readonly name: string;
  begin(): unknown;
  end(): unknown;
}

/** Each way. */
function slowDown(delayMs: number): void {
  cluster.way.delayMs = delayMs;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'killed, and comes back empty',
    begin: () => cluster.redis.kill(),
    end: () => cluster.redis.start(),
  },
  {
    name: 'so slow that each call takes 2 s',
    begin: () => slowDown(1000),
    end: () => slowDown(0),
  },
  {
    name: 'read-only',
    // Of a master that is not there, so it keeps what it has.
    begin: () => cluster.redis.command('REPLICAOF', '127.0.0.1', '1'),
    end: () => cluster.redis.command('REPLICAOF', 'NO', 'ONE'),
  },
  {
    name: 'silent',
    begin: () => cluster.redis.freeze(),
    end: () => cluster.redis.thaw(),
  },
];

for (const fault of FAULTS) {
  test(`Redis is ${fault.name}: everything known goes on, and the index is whole again within 3 s`, (t) =>
    survives(t, fault));
}

async function survives(t: TestContext, fault: Fault): Promise<void> {
  const prefix = fault.name.slice(0, 4);
  const camera = await cluster.open(one, '?events=1');
  const viewer = await cluster.open(two, '?events=1');
  succeeded(await camera.publish(`${prefix}-camera`, { colour: COLOURS.green }));
  succeeded(await viewer.play(`${prefix}-camera`));
  await seesMovingPicture(viewer, 'green');
  const crowd = await Crowd.gather(fronts, prefix, crowded ? CROWD : 0);
  const [muting, closing] = crowd.members;
  const strangers = await Promise.all(fronts.map(({ wsUrl }) => TestClient.connect(wsUrl)));
  for (const stranger of strangers) succeeded(await stranger.heartbeat());

  const watching = longestFreezeMs(viewer, OUTAGE_MS + 8000);
  await fault.begin();
  const beganMs = performance.now();

  // At first they find out; then they know.
  let slowestMs = 0;
  for (let round = 0; round < 3; round++) {
    const refused = await Promise.all(
      strangers.map((each, at) =>
        timed(each.publish(`${prefix}-new-${round}-${at}`, offer('chromium-publish-audio-only'))),
      ),
    );
    for (const { err, err_msg, ms } of refused) {
      assert.equal(err, ERROR_CODES.registry_unavailable, err_msg);
      slowestMs = Math.max(slowestMs, ms);
    }
  }
  assert.ok(slowestMs < REFUSED_MS, `a publish was refused only after ${slowestMs} ms`);

  const done: string[] = [];
  const goesOn = async (what: string, asked: Promise<Message>) => {
    const { ms, err, err_msg } = await timed(asked);
    assert.equal(err, 0, `${what}: ${err_msg}`);
    assert.ok(ms < 1500, `${what} took ${ms} ms`);
    done.push(`${what} ${Math.round(ms)}`);
  };
  for (const [at, stranger] of strangers.entries()) {
    const data = offer('chromium-play-audio-video');
    await goesOn(`play at ${at}`, stranger.play(`${prefix}-camera`, data));
    await goesOn(`heartbeat at ${at}`, stranger.heartbeat());
  }
  if (muting && closing) {
    await goesOn('mute', muting.client.request('stream.mute', muting.stream, { audio: true }));
    await goesOn('close', closing.client.request('stream.close', closing.stream));
  }
  succeeded(await camera.request('stream.mute', `${prefix}-camera`, { audio: true }));
  await sleep(Math.max(0, OUTAGE_MS - (performance.now() - beganMs)));

  await fault.end();
  const backMs = performance.now();
  const expected = [
    `${prefix}-camera`,
    ...crowd.streams.filter((stream) => stream !== closing?.stream),
  ].sort();
  const sessions = [
    ...crowd.members.map(({ client }) => client.session),
    ...strangers.map(({ session }) => session),
    await camera.run<string>('session.id'),
    await viewer.run<string>('session.id'),
  ].sort();
  await eventually(
    'a whole index',
    async () => {
      const there = await indexed();
      assert.deepEqual(there.streams.filter((stream) => stream.startsWith(`${prefix}-`)).sort(), expected);
      assert.deepEqual(
        sessions.filter((id) => !there.sessions.includes(id)),
        [],
      );
      return true;
    },
    { everyMs: 20 },
  );
  const wholeMs = performance.now() - backMs;
  const [stranger] = strangers;
  await eventually(
    'a new publish',
    async () => (await stranger?.publish(`${prefix}-after`, offer('chromium-publish-audio-only')))?.err === 0,
  );
  const publishMs = performance.now() - backMs;

  const freezeMs = await watching;
  t.diagnostic(
    `refused within ${Math.round(slowestMs)} ms; ${done.join(', ')} ms; index whole after ${Math.round(wholeMs)} ms; ` +
      `new publishes after ${Math.round(publishMs)} ms; longest time without a frame ${Math.round(freezeMs)} ms`,
  );
  assert.ok(freezeMs < 2000, `the picture stood still for ${freezeMs} ms`);
  assert.ok(wholeMs < 3000, `the index was whole only after ${wholeMs} ms`);
  assert.deepEqual(crowd.troubled, []);
  const ended = endings([...cluster.signaling, ...cluster.media]).filter(
    (line) => line.includes(` ${prefix}-`) && !line.includes(` ${closing?.stream} `),
  );
  assert.deepEqual(ended, []);
  await crowd.leave();
  for (const each of strangers) await each.leave();
  await camera.close();
  await viewer.close();
}
