import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { MillraceError } from '../protocol/error.ts';
import type { StreamName } from '../protocol/stream-name.ts';
import {
  AUDIO,
  claim,
  held,
  type MakeRegistry,
  name,
  node,
  nodeId,
  type RegistryTrial,
  session,
  sessionId,
  VIDEO,
} from './conformance-trial.ts';
import { type Answer, RegistryModel, type Step } from './model.ts';
import { NODE_LEASE_MS, type StreamChange } from './registry.ts';

const STREAMS = ['a', 'b'];
/** For what is told, of a millisecond each. */
const MAX_WAITS = 5000;

/** A step in which an epoch is named by its age: 0 the one granted last, 1 the one before it, -1 one never granted. */
export const draft = fc.record({
  kind: fc.constantFrom(
    ...(['announce', 'announce', 'withdraw', 'fence', 'report', 'report', 'pass'] as const),
    ...(['save', 'save', 'take', 'delete'] as const),
    ...([
      'claim',
      'claim',
      'displace',
      'displace',
      'describe',
      'release',
      'reannounce',
      'reannounce',
    ] as const),
  ),
  stream: fc.constantFrom(...STREAMS),
  // Few, so that the same ones meet again; several, since none returns.
  node: fc.constantFrom('n1', 'n2', 'n3', 'n4', 'n5'),
  session: fc.constantFrom('s1', 's2', 's3'),
  age: fc.constantFrom(0, 0, 0, 1, 2, -1),
  tracks: fc.constantFrom([VIDEO], [AUDIO, VIDEO]),
  ms: fc.constantFrom(1, 500, NODE_LEASE_MS - 1, NODE_LEASE_MS),
});
export type Draft = typeof draft extends fc.Arbitrary<infer T> ? T : never;

/**
 * Random calls in random order, held against the model after each.
 * @param numRuns how many orders, of up to 40 calls each
 */
export function describeRegistryModel(title: string, makeRegistry: MakeRegistry, numRuns: number): void {
  test(`${title} does what its model does, whatever calls come in whatever order`, async () => {
    const property = fc.asyncProperty(fc.array(draft, { maxLength: 40 }), async (drafts) => {
      const trial = await makeRegistry();
      try {
        // Time that cannot be moved is left alone: such a run is over before a lease is.
        await compare(trial, trial.advance ? drafts : drafts.filter(({ kind }) => kind !== 'pass'));
      } finally {
        await trial.registry.close();
        await trial.peer.close();
        await trial.stop();
      }
    });
    await fc.assert(property, { numRuns });
  });
}

async function compare(trial: RegistryTrial, drafts: readonly Draft[]): Promise<void> {
  const model = new RegistryModel();
  const told = new Map<StreamName, StreamChange[]>();
  for (const stream of STREAMS.map(name)) {
    const changes: StreamChange[] = [];
    told.set(stream, changes);
    trial.registry.watchStream(stream, (change) => changes.push(change));
  }
  for (const [index, draft] of drafts.entries()) {
    const step = toStep(draft, model);
    const registry = index % 2 === 0 ? trial.registry : trial.peer;
    const expected = model.take(step);
    const answer = await perform(step, { ...trial, registry }).catch(errorName);
    await checkAnswer(step, answer, expected, model, trial);
    await checkState(trial, model);
  }
  for (const [stream, changes] of told) {
    await checkTold(
      changes,
      model.changes.filter((change) => nameOf(change) === stream),
    );
  }
}

export function toStep(draft: Draft, model: RegistryModel): Step {
  const stream = name(draft.stream);
  const epochs = model.epochs.get(stream) ?? [];
  const epoch = (draft.age < 0 ? undefined : epochs.at(-1 - draft.age)) ?? model.highest(stream) + 1000;
  switch (draft.kind) {
    case 'pass':
      return { do: 'pass', ms: draft.ms };
    case 'announce':
      return { do: 'announce', node: node(draft.node, { viewers: draft.ms }) };
    case 'withdraw':
    case 'fence':
      return { do: draft.kind, node: nodeId(draft.node) };
    case 'claim':
      return { do: 'claim', claim: claim(stream, draft.node) };
    case 'displace':
      return { do: 'claim', claim: claim(stream, draft.node, { displaces: epoch, subject: 'bob' }) };
    case 'describe':
      return { do: 'describe', name: stream, epoch, tracks: draft.tracks };
    case 'release':
      return { do: 'release', name: stream, epoch };
    case 'reannounce':
      return { do: 'reannounce', stream: { ...held(stream, draft.node, epoch), tracks: draft.tracks } };
    case 'report':
      return { do: 'report', node: nodeId(draft.node), observer: draft.session };
    case 'save':
      return {
        do: 'save',
        session: session(draft.session, {
          signaling: draft.stream,
          epoch: sessionEpoch(draft, model),
          connected: draft.ms === 1,
        }),
        ttlMs: 2 * NODE_LEASE_MS,
      };
    case 'take':
      return {
        do: 'take',
        session: sessionId(draft.session),
        signaling: draft.stream,
        ttlMs: 2 * NODE_LEASE_MS,
      };
    case 'delete':
      return { do: 'delete', session: sessionId(draft.session), epoch: sessionEpoch(draft, model) };
  }
}

/** The one that counts, the one of who opened the session, or one never granted. */
function sessionEpoch(draft: Draft, model: RegistryModel): number {
  const epoch = model.epochOf(sessionId(draft.session));
  if (draft.age === 0) return epoch;
  return draft.age > 0 ? 0 : epoch + 1000;
}

export async function perform(step: Step, { registry, advance }: RegistryTrial) {
  switch (step.do) {
    case 'pass':
      return advance?.(step.ms);
    case 'announce':
      return registry.announceNode(step.node);
    case 'withdraw':
      return registry.withdrawNode(step.node);
    case 'fence':
      return registry.fenceNode(step.node);
    case 'report':
      return registry.reportDeadNode(step.node, step.observer);
    case 'claim':
      return registry.claimStream(step.claim);
    case 'describe':
      return registry.describeStream(step.name, step.epoch, step.tracks);
    case 'release':
      return registry.releaseStream(step.name, step.epoch);
    case 'reannounce':
      return registry.reannounceStream(step.stream);
    case 'save':
      return registry.saveSession(step.session, step.ttlMs);
    case 'take':
      return registry.takeSession(step.session, step.signaling, step.ttlMs);
    case 'delete':
      return registry.deleteSession(step.session, step.epoch);
  }
}

async function checkAnswer(
  step: Step,
  answer: Awaited<ReturnType<typeof perform>> | string,
  expected: Answer,
  model: RegistryModel,
  { registry }: RegistryTrial,
): Promise<void> {
  if (typeof answer !== 'object') {
    assert.deepEqual(answer, expected, step.do);
  } else if ('from' in answer) {
    assert.ok(step.do === 'take' && typeof expected === 'object' && 'from' in expected, 'taken');
    const { epoch } = answer.session;
    assert.ok(epoch > expected.grantedAbove, `${epoch} is not above ${expected.grantedAbove}`);
    assert.deepEqual(answer, { session: { ...expected.session, epoch }, from: expected.from });
    model.granted(answer.session, step.ttlMs);
  } else if (!answer.granted) {
    assert.deepEqual(answer.holder, expected);
  } else {
    assert.ok(step.do === 'claim' && typeof expected === 'object' && 'grantedAbove' in expected, 'granted');
    assert.ok(answer.epoch > expected.grantedAbove, `${answer.epoch} is not above ${expected.grantedAbove}`);
    const stream = await registry.findStream(step.claim.name);
    model.grant(step.claim, answer.epoch, stream?.sinceMs ?? 0);
  }
}

async function checkState({ registry }: RegistryTrial, model: RegistryModel): Promise<void> {
  const [nodes, streams, sessions] = await Promise.all([
    registry.nodes(),
    registry.streams({ limit: 10 }),
    registry.sessions({ limit: 10 }),
  ]);
  assert.deepEqual(nodes, model.nodes());
  assert.deepEqual(streams, model.held());
  assert.deepEqual(sessions, model.sessions());
}

/** A watch that began late was told first what it found, which is what the change before had left. */
async function checkTold(told: readonly StreamChange[], changes: readonly StreamChange[]): Promise<void> {
  for (let waits = 0; waits < MAX_WAITS && !isDeepStrictEqual(told.at(-1), changes.at(-1)); waits++) {
    await sleep(1);
  }
  assert.deepEqual(told, changes.slice(changes.length - told.length));
  assert.equal(told.length === 0, changes.length === 0);
}

function nameOf(change: StreamChange): StreamName {
  return change.type === 'released' ? change.name : change.stream.name;
}

export function errorName(error: unknown): string {
  if (error instanceof MillraceError) return error.errorName;
  throw error;
}
