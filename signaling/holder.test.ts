import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HolderFacts, holderIsGone } from './holder.ts';

const publishing: HolderFacts = {
  ownSession: false,
  sameSubject: true,
  connected: true,
  described: true,
  nodeUsable: true,
  report: { live: true },
};

const cases: readonly [string, Partial<HolderFacts>, boolean][] = [
  ['a connected publisher with media stays', {}, false],
  ['its own session may always take its place', { ownSession: true }, true],
  ['one whose socket is gone makes way for its own subject', { connected: false }, true],
  ['but not for another subject while media flows', { connected: false, sameSubject: false }, false],
  ['media that stopped makes way for anybody', { sameSubject: false, report: { live: false } }, true],
  ['a stream that its media server lost makes way', { report: 'none' }, true],
  ['a publish that is being made stays', { report: 'none', described: false }, false],
  ['a silent media server with a lease proves nothing', { report: 'unreachable' }, false],
  ['one without a lease does', { report: 'unreachable', nodeUsable: false }, true],
];

for (const [sentence, facts, gone] of cases) {
  test(sentence, () => assert.equal(holderIsGone({ ...publishing, ...facts }), gone));
}
