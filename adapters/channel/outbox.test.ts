import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outbox } from './outbox.ts';

test('Whoever awaits an entry goes on before the next one is delivered', async () => {
  const outbox = new Outbox(10);
  const order: string[] = [];
  const reply = new Promise<void>((resolve) => outbox.push(resolve));
  const notice = new Promise<void>((resolve) => {
    outbox.push(() => {
      order.push('notice');
      resolve();
    });
  });
  await reply;
  order.push('reply');
  await notice;
  assert.deepEqual(order, ['reply', 'notice']);
});

test('Entries are delivered in order, those too that an entry adds', async () => {
  const outbox = new Outbox(10);
  const order: number[] = [];
  await new Promise<void>((resolve) => {
    outbox.push(() => {
      order.push(1);
      outbox.push(() => order.push(3));
      outbox.push(resolve);
    });
    outbox.push(() => order.push(2));
  });
  assert.deepEqual(order, [1, 2, 3]);
});

test('A full outbox takes nothing until an entry is delivered', async () => {
  const outbox = new Outbox(2);
  const delivered = new Promise<void>((resolve) => outbox.push(resolve));
  assert.equal(
    outbox.push(() => {}),
    true,
  );
  assert.equal(
    outbox.push(() => {}),
    false,
  );
  await delivered;
  assert.equal(
    outbox.push(() => {}),
    true,
  );
});
