import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { emptyLedger, Ledger } from './ledger.ts';

const PART = 100;

function ledger(): Ledger {
  return new Ledger(emptyLedger(PART));
}

/** Appends chunks, each a second long. */
function append(books: Ledger, ...lengths: readonly number[]): void {
  for (const bytes of lengths) books.append({ cues: [], gaps: [], endMs: books.endMs + 1000 }, bytes);
}

/** Sends all tails there are to send. @returns their numbers */
function takeTails(books: Ledger): readonly number[] {
  const taken: number[] = [];
  for (let tail = books.takeTail(); tail; tail = books.takeTail()) taken.push(tail.n);
  return taken;
}

/** Makes the checkpoint that is due durable. */
function checkpoint(books: Ledger) {
  const due = books.dueCheckpoint();
  assert.ok(due, 'no checkpoint is due');
  const unneeded = books.checkpointIsDurable(due).map(({ n }) => n);
  books.allowParts(due.partLimit);
  return { due, unneeded };
}

describe('A ledger', () => {
  test('counts nothing as durable before its first checkpoint is', () => {
    const books = ledger();
    append(books, 30, 30);
    for (const n of takeTails(books)) books.tailIsDurable(n);
    assert.deepEqual(books.durable, { offset: 0, endMs: 0 });
    checkpoint(books);
    assert.deepEqual(books.durable, { offset: 60, endMs: 2000 });
  });

  test('counts tails as durable up to the first that is not', () => {
    const books = ledger();
    checkpoint(books);
    append(books, 30, 30, 30);
    assert.deepEqual(takeTails(books), [1, 2, 3]);
    books.tailIsDurable(3);
    books.tailIsDurable(1);
    assert.deepEqual(books.durable, { offset: 30, endMs: 1000 });
    assert.equal(books.waitingBytes, 30);
    books.tailIsDurable(2);
    assert.deepEqual(books.durable, { offset: 90, endMs: 3000 });
  });

  test('makes the first part the head, and sends no part before a checkpoint allows its number', () => {
    const books = ledger();
    append(books, 250);
    assert.deepEqual(books.takePart(), { from: 0, to: 100 });
    assert.equal(books.takePart(), undefined);
    checkpoint(books);
    assert.deepEqual(books.takePart(), { from: 100, to: 200, number: 2 });
    assert.equal(books.takePart(), undefined);
  });

  test('uses no number beyond what its last checkpoint allows', () => {
    const books = ledger();
    checkpoint(books);
    append(books, 100 * PART);
    const numbers: number[] = [];
    for (let part = books.takePart(); part; part = books.takePart()) numbers.push(part.number ?? 1);
    assert.deepEqual(
      numbers,
      Array.from({ length: 17 }, (_, index) => index + 1),
    );
    assert.equal(books.partLimit, 17);
  });

  test('names a part once the tail that it ends in is durable, and keeps that tail', () => {
    const books = ledger();
    checkpoint(books);
    append(books, 60, 60, 60);
    takeTails(books);
    const part = books.takePart();
    assert.ok(part);
    books.partIsStored(part.from, '"head"');
    books.tailIsDurable(1);
    assert.equal(books.dueCheckpoint(), undefined);
    books.tailIsDurable(2);
    const { due, unneeded } = checkpoint(books);
    assert.deepEqual([due.coveredTo, due.firstTail, due.hasHead], [100, 2, true]);
    assert.deepEqual(unneeded, [1]);
    assert.deepEqual(books.durable, { offset: 120, endMs: 2000 });
  });

  test('names no part behind one that is missing', () => {
    const books = ledger();
    checkpoint(books);
    append(books, 400);
    takeTails(books);
    books.tailIsDurable(1);
    const [, second, third] = [books.takePart(), books.takePart(), books.takePart()];
    books.partIsStored(second?.from ?? 0, '"2"');
    books.partIsStored(third?.from ?? 0, '"3"');
    assert.equal(books.dueCheckpoint(), undefined);
    books.partIsStored(0, '"1"');
    assert.deepEqual(
      books.dueCheckpoint()?.parts.map(({ number }) => number),
      [2, 3],
    );
  });

  test('makes no first checkpoint before all that it inherited is durable', () => {
    const books = ledger();
    append(books, 30, 30);
    books.inheritedUpToHere();
    append(books, 30);
    takeTails(books);
    books.tailIsDurable(1);
    books.tailIsDurable(3);
    assert.equal(books.dueCheckpoint(), undefined);
    books.tailIsDurable(2);
    assert.ok(books.dueCheckpoint());
  });

  test('sends only tails that no part will make superfluous, when it is parts behind', () => {
    const books = ledger();
    checkpoint(books);
    append(books, 40, 40, 40, 40, 40, 40, 40, 40, 40);
    // Bytes 80-120, 160-200 and 280-320 end in parts; 320-360 is behind the last full one.
    assert.deepEqual(takeTails(books), [3, 5, 8, 9]);
    for (let part = books.takePart(); part; part = books.takePart()) books.partIsStored(part.from, '"x"');
    for (const n of [3, 5, 8, 9]) books.tailIsDurable(n);
    checkpoint(books);
    assert.equal(books.waitingBytes, 0);
    assert.deepEqual(books.durable, { offset: 360, endMs: 9000 });
  });

  test('goes on behind what it inherited, with numbers of its own', () => {
    const books = new Ledger({
      ...emptyLedger(PART),
      coveredTo: 200,
      hasHead: true,
      parts: [{ number: 2, etag: '"2"', bytes: 100 }],
      nextPartNumber: 18,
      durable: { offset: 230, endMs: 5000 },
    });
    append(books, 30);
    books.inheritedUpToHere();
    assert.deepEqual(books.durable, { offset: 230, endMs: 5000 });
    takeTails(books);
    books.tailIsDurable(1);
    checkpoint(books);
    append(books, 100);
    assert.deepEqual(books.takePart(), { from: 200, to: 300, number: 18 });
  });

  test('sends tails on when it takes no more parts', () => {
    const books = ledger();
    checkpoint(books);
    books.endParts();
    append(books, 150, 150, 150);
    assert.equal(books.takePart(), undefined);
    assert.deepEqual(takeTails(books), [1, 2, 3]);
  });
});
