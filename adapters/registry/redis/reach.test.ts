import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { Reach } from './reach.ts';
import { CUT_OFF, SILENT, type Trouble } from './trouble.ts';

const FULL: Trouble = { kind: 'read-only', text: 'takes no writes' };
const LOCKED: Trouble = { kind: 'refuses', text: 'asks for a password' };

function reached() {
  const said: string[] = [];
  const reach = new Reach(pino({}, { write: (line: string) => said.push(JSON.parse(line).msg) }));
  return { reach, said };
}

test('One absence is told once, whatever its signs, and its end once', () => {
  const { reach, said } = reached();
  reach.answered(true);
  for (const trouble of [CUT_OFF, SILENT, CUT_OFF]) reach.failed(trouble);
  reach.answered(false);
  reach.answered(true);
  assert.deepEqual(said, [`Redis ${CUT_OFF.text}`, 'Redis is back']);
});

test('A Redis that takes no writes is there, and is back when it takes one', async () => {
  const { reach, said } = reached();
  reach.failed(CUT_OFF);
  reach.failed(FULL);
  assert.equal(reach.isUp, true);
  await reach.demand();
  reach.answered(false);
  reach.failed(FULL);
  assert.deepEqual(said, [`Redis ${CUT_OFF.text}`, `Redis ${FULL.text}`]);
  reach.answered(true);
  assert.equal(said.at(-1), 'Redis is back');
});

test('A call waits a moment for a connection that was just lost, and goes on when it is back', async () => {
  const { reach } = reached();
  reach.answered(true);
  reach.failed(CUT_OFF);
  const waiting = reach.demand();
  reach.answered(true);
  await waiting;
});

test('A call fails at once while Redis has been away for a while, with the reason that says most', async (t) => {
  const { reach } = reached();
  reach.answered(true);
  reach.failed(CUT_OFF);
  const startMs = performance.now();
  const gone = { errorName: 'registry_unavailable', message: /the connection is lost; try again$/ };
  await assert.rejects(reach.demand(), gone);
  const waitedMs = performance.now() - startMs;
  t.diagnostic(`gave up after ${Math.round(waitedMs)} ms`);
  assert.ok(waitedMs > 300 && waitedMs < 900);
  reach.failed(LOCKED);
  const againMs = performance.now();
  await assert.rejects(reach.demand(), { message: /asks for a password; try again$/ });
  assert.ok(performance.now() - againMs < 100);
});
