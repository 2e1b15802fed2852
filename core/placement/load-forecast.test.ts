import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeId } from '../registry/record.ts';
import { LoadForecast } from './load-forecast.ts';
import { choosePlay } from './play.ts';

const node = (name: string, load: number, streams = 0, viewers = 0) => ({
  id: name as NodeId,
  load,
  streams,
  viewers,
});

test('What was placed raises the load that is counted on, until it shows in the announced one', () => {
  const forecast = new LoadForecast();
  const [a, b] = [node('a', 0.2), node('b', 0.3)];
  for (let index = 0; index < 50; index++) forecast.placed(a.id, 1000);
  const [first, second] = forecast.of([a, b], 1000);
  assert.equal(first?.load.toFixed(3), '0.300');
  assert.equal(second, b);
  assert.deepEqual(forecast.of([a, b], 5001), [a, b]);
});

test('Each costs what those before it cost on that node, within bounds', () => {
  const forecast = new LoadForecast();
  const nodes = [node('dear', 0.4, 10, 30), node('cheap', 0.01, 100, 900), node('dearest', 0.5, 1)];
  for (const { id } of nodes) for (let index = 0; index < 10; index++) forecast.placed(id, 0);
  const loads = forecast.of(nodes, 0).map(({ load }) => load.toFixed(3));
  assert.deepEqual(loads, ['0.500', '0.012', '0.700']);
});

test('A forecast is never above full', () => {
  const forecast = new LoadForecast();
  const a = node('a', 0.9, 1);
  for (let index = 0; index < 100; index++) forecast.placed(a.id, 0);
  assert.equal(forecast.of([a], 0)[0]?.load, 1);
});

test('A burst of a thousand joins of one stream spreads over the nodes, before any load is measured', () => {
  const forecast = new LoadForecast();
  const nodes = Array.from({ length: 10 }, (_, index) => node(`n${index}`, 0.1));
  const pulling = new Set<NodeId>();
  const counts = new Map<NodeId, number>();
  let seed = 1;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  for (let join = 0; join < 2000; join++) {
    const seen = forecast.of(nodes, join);
    const [origin] = seen;
    assert.ok(origin);
    const chosen = choosePlay(
      seen,
      origin,
      seen.filter(({ id }) => pulling.has(id)),
      random,
    );
    assert.ok(chosen);
    if (chosen.id !== origin.id) pulling.add(chosen.id);
    forecast.placed(chosen.id, join);
    counts.set(chosen.id, (counts.get(chosen.id) ?? 0) + 1);
  }
  assert.ok(Math.max(...counts.values()) <= 400, String([...counts]));
  assert.ok(counts.size >= 6, String([...counts]));
});
