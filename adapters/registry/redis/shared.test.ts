import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shared } from './shared.ts';

test('Those who ask at once get one answer, asked for after they came; who asks later gets another', async () => {
  let asked = 0;
  let state = 'old';
  const shared = new Shared(async () => `${state} ${++asked}`);
  const first = [shared.ask(), shared.ask()];
  state = 'new';
  assert.deepEqual(await Promise.all(first), ['new 1', 'new 1']);
  assert.equal(await shared.ask(), 'new 2');
});

test('A failure is everyone’s, and the next one asks anew', async () => {
  let failing = true;
  const shared = new Shared(async () => {
    if (failing) throw new Error('away');
    return 'there';
  });
  const both = [shared.ask(), shared.ask()];
  for (const one of both) await assert.rejects(one, /away/);
  failing = false;
  assert.equal(await shared.ask(), 'there');
});
