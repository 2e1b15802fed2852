import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeRef } from '../core/channel/pipes.ts';
import type { NodeId } from '../core/registry/record.ts';
import { FanOut } from './fan-out.ts';

const ref = (name: string): NodeRef => ({ node: name as NodeId, address: `ws://${name}` });
const [a, b, c, d] = [ref('a'), ref('b'), ref('c'), ref('d')];

function fanOut(limit: number) {
  const clock = { ms: 0 };
  return { clock, places: new FanOut(limit, () => clock.ms) };
}

test('as many as the limit are admitted, the others are sent to those in turn', () => {
  const { places } = fanOut(2);
  assert.deepEqual([places.admit(a), places.admit(b)], ['here', 'here']);
  assert.deepEqual([places.admit(c), places.admit(d), places.admit(c)], [a, b, a]);
});

test('who has a place keeps it for further pulls, and is not counted twice', () => {
  const { places } = fanOut(2);
  places.admit(a);
  places.began(a.node);
  assert.equal(places.admit(a), 'here');
  assert.equal(places.admit(b), 'here');
  assert.deepEqual(places.nodes, [a.node]);
});

test('a place is free again after its last pull, and after a time in which no pull came', () => {
  const { places, clock } = fanOut(1);
  places.admit(a);
  const [end, endOther] = [places.began(a.node), places.began(a.node)];
  end();
  assert.equal(places.admit(b), a);
  endOther();
  assert.equal(places.admit(b), 'here');
  assert.equal(places.admit(c), b);
  clock.ms += 5000;
  assert.equal(places.admit(c), 'here');
});

test('who could not be reached takes no place and is referred to no more', () => {
  const { places } = fanOut(1);
  places.admit(a);
  places.began(a.node);
  assert.equal(places.admit(b, [a.node]), 'here');
  assert.equal(places.admit(c, [a.node]), b);
});
