import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { type Draft, draft, errorName, perform, toStep } from './conformance-model.ts';
import type { MakeRegistry, RegistryTrial } from './conformance-trial.ts';
import { RegistryModel, type Step } from './model.ts';
import type { StreamRecord } from './record.ts';

type Answer = Awaited<ReturnType<typeof perform>> | string;

/**
 * Random calls of two processes at once, held against the model: what they are answered, and what is there
 * afterwards, must be as if they had come one after the other in some order.
 * @param numRuns how many times, of up to 10 turns of up to four calls each
 */
export function describeInterleaving(title: string, makeRegistry: MakeRegistry, numRuns: number): void {
  test(`${title} does what its model does, however the calls of processes interleave`, async () => {
    // Time passes for all at once.
    const call = draft.filter(({ kind }) => kind !== 'pass');
    const turns = fc.array(fc.array(call, { minLength: 1, maxLength: 4 }), { maxLength: 10 });
    const property = fc.asyncProperty(turns, async (all) => {
      const trial = await makeRegistry();
      try {
        let models: readonly RegistryModel[] = [new RegistryModel()];
        for (const drafts of all) models = await takeTurn(trial, models, drafts);
      } finally {
        await trial.registry.close();
        await trial.peer.close();
        await trial.stop();
      }
    });
    await fc.assert(property, { numRuns });
  });
}

/**
 * Orders that look alike may leave something else behind, such as evidence of a death that another order knew
 * nothing of: all that fit are kept, until a later turn tells them apart.
 * @returns the models after the turn
 */
async function takeTurn(
  trial: RegistryTrial,
  models: readonly RegistryModel[],
  drafts: readonly Draft[],
): Promise<readonly RegistryModel[]> {
  const [first] = models;
  if (first === undefined) throw new Error('there is a model after each turn');
  const steps = drafts.map((each) => toStep(each, first));
  const answers = await Promise.all(
    steps.map((step, index) => {
      const registry = index % 2 === 0 ? trial.registry : trial.peer;
      return perform(step, { ...trial, registry }).catch(errorName);
    }),
  );
  const { registry } = trial;
  const [nodes, streams, sessions] = [
    await registry.nodes(),
    await registry.streams({ limit: 10 }),
    await registry.sessions({ limit: 10 }),
  ];
  const fitting: RegistryModel[] = [];
  const orders = [...permutations(steps.map((_, index) => index))];
  for (const [model, order] of models.flatMap((each) => orders.map((order) => [each, order] as const))) {
    const next = model.clone();
    const explained = order.every((index) => {
      const step = steps[index];
      return step !== undefined && explains(next, step, answers[index]);
    });
    if (!explained) continue;
    const held = isDeepStrictEqual(next.held().map(timeless), streams.map(timeless));
    if (!held || !isDeepStrictEqual([next.nodes(), next.sessions()], [nodes, sessions])) continue;
    if (!fitting.some((other) => other.equals(next))) fitting.push(next);
  }
  if (fitting.length > 0) return fitting;
  assert.fail(`no order explains ${JSON.stringify({ steps, answers, nodes, streams, sessions }, null, 1)}`);
}

/** Whether the model, which takes the step, answers so too. */
function explains(model: RegistryModel, step: Step, answer: Answer): boolean {
  const expected = model.take(step);
  if (typeof answer !== 'object') return answer === expected;
  if (typeof expected !== 'object') return false;
  if ('from' in answer) {
    if (step.do !== 'take' || !('from' in expected) || answer.session.epoch <= expected.grantedAbove)
      return false;
    model.granted(answer.session, step.ttlMs);
    const { epoch } = answer.session;
    return isDeepStrictEqual(answer, { session: { ...expected.session, epoch }, from: expected.from });
  }
  if (!answer.granted)
    return 'tracks' in expected && isDeepStrictEqual(timeless(answer.holder), timeless(expected));
  if (step.do !== 'claim' || !('grantedAbove' in expected) || answer.epoch <= expected.grantedAbove)
    return false;
  model.grant(step.claim, answer.epoch, 0);
  return true;
}

/** Without the time of its claim, which nobody tells of a claim that was displaced at once. */
function timeless({ sinceMs: _, ...stream }: StreamRecord): Omit<StreamRecord, 'sinceMs'> {
  return stream;
}

function* permutations(items: readonly number[]): Iterable<readonly number[]> {
  if (items.length === 0) yield [];
  for (const first of items) {
    for (const rest of permutations(items.filter((item) => item !== first))) yield [first, ...rest];
  }
}
