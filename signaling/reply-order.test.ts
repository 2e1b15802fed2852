import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplyOrder } from './reply-order.ts';

test('ordered replies leave in the order in which they were opened', () => {
  const order = new ReplyOrder();
  const [a, b, c] = [order.open(true), order.open(true), order.open(true)];
  assert.deepEqual(order.settle(b, 'b'), []);
  assert.deepEqual(order.settle(a, 'a'), ['a', 'b']);
  assert.deepEqual(order.settle(c, 'c'), ['c']);
});

test('others leave at once and hold nothing up', () => {
  const order = new ReplyOrder();
  const ordered = order.open(true);
  const free = order.open(false);
  assert.deepEqual(order.settle(free, 'free'), ['free']);
  assert.deepEqual(order.settle(ordered, 'ordered'), ['ordered']);
});
