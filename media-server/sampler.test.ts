import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { type Sampled, Sampler } from './sampler.ts';

/** Lets `ms` pass, with what was asked meanwhile answered. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    mock.timers.tick(100);
    await new Promise(setImmediate);
  }
}

describe('The sampler', () => {
  const counted = (count: number) => {
    const samples = new Map<number, number>();
    const everything: Sampled[] = Array.from({ length: count }, (_, index) => ({
      sample: async () => void samples.set(index, (samples.get(index) ?? 0) + 1),
    }));
    return { samples, everything };
  };

  test('takes each in turn, once in the period', async (t) => {
    mock.timers.enable({ apis: ['setInterval'] });
    t.after(() => mock.timers.reset());
    const { samples, everything } = counted(120);
    const sampler = new Sampler(() => everything, 5000);
    await pass(25_000);
    sampler.close();
    assert.equal(samples.size, 120);
    for (const count of samples.values()) assert.ok(count === 5, `${count} times in 5 periods`);
  });

  test('asks no more than 200 times a second, whatever there is', async (t) => {
    mock.timers.enable({ apis: ['setInterval'] });
    t.after(() => mock.timers.reset());
    const { samples, everything } = counted(10_000);
    const sampler = new Sampler(() => everything, 5000);
    await pass(5000);
    sampler.close();
    const total = [...samples.values()].reduce((sum, count) => sum + count, 0);
    assert.ok(total > 900 && total <= 1000, `${total} in 5 s`);
  });

  test('does not ask on while nothing is answered', async (t) => {
    mock.timers.enable({ apis: ['setInterval'] });
    t.after(() => mock.timers.reset());
    let asked = 0;
    const silent: Sampled = {
      sample: () => {
        asked++;
        return new Promise(() => {});
      },
    };
    const sampler = new Sampler(() => Array.from({ length: 1000 }, () => silent), 5000);
    await pass(60_000);
    sampler.close();
    assert.ok(asked <= 20, `${asked} without an answer`);
  });
});
