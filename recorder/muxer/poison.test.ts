import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceEvent } from '../source-event.ts';
import type { FatalEvent } from '../supervisor-message.ts';
import { Poison } from './poison.ts';

const hello: SourceEvent = { type: 'hello', receiver: 'one', unixMs: 0, atMs: 0 };

function rtp(atMs: number, byte = 0): SourceEvent {
  return { type: 'rtp', atMs, packet: Uint8Array.of(byte) };
}

function after(...fatal: readonly FatalEvent[]): (event: SourceEvent) => boolean {
  const poison = new Poison(fatal);
  poison.isIn(hello);
  return (event) => poison.isIn(event);
}

function fatal(event: SourceEvent): FatalEvent {
  const poison = new Poison([]);
  poison.isIn(hello);
  return poison.fatal(event);
}

test('An event is left out after the second death of it, and no other one', () => {
  assert.equal(after(fatal(rtp(5)))(rtp(5)), false);
  const isIn = after(fatal(rtp(5)), fatal(rtp(5)));
  assert.deepEqual([rtp(4), rtp(5), rtp(5, 1), rtp(6)].map(isIn), [false, true, false, false]);
  assert.equal(
    after(fatal({ type: 'tick', atMs: 5 }), fatal({ type: 'tick', atMs: 5 }))({ type: 'tick', atMs: 5 }),
    true,
  );
});

test('After a third death all media up to it is left out: what kills may lie before what it kills at', () => {
  const isIn = after(fatal(rtp(5)), fatal(rtp(5)), fatal(rtp(6)));
  assert.deepEqual([rtp(1), rtp(6, 1), rtp(7)].map(isIn), [true, true, false]);
  assert.equal(isIn({ type: 'tick', atMs: 3 }), false);
});

test('Another receiver has events of its own', () => {
  const poison = new Poison([fatal(rtp(5)), fatal(rtp(5)), fatal(rtp(5))]);
  poison.isIn({ ...hello, receiver: 'two' });
  assert.equal(poison.isIn(rtp(5)), false);
});
