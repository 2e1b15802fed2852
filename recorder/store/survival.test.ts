import { test } from 'node:test';
import fc from 'fast-check';
import { type Command, Scenario } from './harness/scenario.ts';

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('feed' as const), bytes: fc.integer({ min: 100, max: 5000 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('steps' as const), count: fc.integer({ min: 1, max: 60 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('succeed' as const),
      stop: fc.boolean(),
      elsewhere: fc.boolean(),
      spool: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wake' as const), bytes: fc.integer({ min: 100, max: 5000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('fail' as const), rate: fc.constantFrom(0, 0.1, 0.5, 1) }),
  },
);

const first: Command = { do: 'succeed', stop: false, elsewhere: false, spool: false };
const RUNS = Number(process.env.MILLRACE_TEST_RUNS ?? 60);

test('Whatever dies, stops or fails in whatever order, the file is whole and has all that was durable', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.array(command, { maxLength: 100, size: 'max' }),
      fc.array(fc.integer({ min: 1, max: 80 }), { maxLength: 3 }),
      fc.boolean(),
      async (seed, commands, deaths, byWriter) => {
        const scenario = new Scenario(seed);
        await scenario.perform(first);
        for (const one of commands) await scenario.perform(one);
        for (const steps of deaths) await scenario.perform({ do: 'die-finishing', steps });
        await scenario.end(byWriter);
        scenario.check();
      },
    ),
    // To shrink a counterexample takes minutes.
    { numRuns: RUNS, endOnFailure: true },
  );
});
