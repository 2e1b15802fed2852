import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Open, session, sessionId } from './conformance-trial.ts';

export function describeSessions(open: Open): void {
  const MINUTE_MS = 60_000;

  test('A saved session is found as it was saved last', async (t) => {
    const { registry, peer } = await open(t);
    assert.equal(await registry.saveSession(session('s'), MINUTE_MS), true);
    assert.deepEqual(await peer.findSession(sessionId('s')), session('s'));
    const later = session('s', { connected: false, events: true, holds: [], livesBy: 'media' });
    assert.equal(await peer.saveSession(later, MINUTE_MS), true);
    assert.deepEqual(await registry.findSession(sessionId('s')), later);
    assert.equal(await registry.findSession(sessionId('other')), undefined);
  });

  test('A session is gone when its time has run out, from the list too', async (t) => {
    const { registry, until } = await open(t);
    await registry.saveSession(session('long'), MINUTE_MS);
    await registry.saveSession(session('short'), 200);
    await until(async () => (await registry.findSession(sessionId('short'))) === undefined);
    assert.deepEqual(await registry.sessions({ limit: 10 }), [session('long')]);
  });

  test('Saving a session again gives it its time anew', async (t) => {
    const { registry, until } = await open(t);
    await registry.saveSession(session('s'), 200);
    await registry.saveSession(session('witness'), 400);
    await registry.saveSession(session('s'), MINUTE_MS);
    await until(async () => (await registry.findSession(sessionId('witness'))) === undefined);
    assert.deepEqual(await registry.findSession(sessionId('s')), session('s'));
  });

  test('A deleted session is gone for good, and deleting it again does nothing', async (t) => {
    const { registry, peer } = await open(t);
    await registry.saveSession(session('s'), MINUTE_MS);
    assert.equal(await registry.deleteSession(sessionId('s'), 0), true);
    assert.equal(await registry.deleteSession(sessionId('s'), 0), true);
    assert.equal(await registry.deleteSession(sessionId('unknown'), 0), true);
    assert.equal(await peer.saveSession(session('s'), MINUTE_MS), false);
    assert.equal(await peer.takeSession(sessionId('s'), 'signaling-2', MINUTE_MS), undefined);
    assert.equal(await registry.findSession(sessionId('s')), undefined);
    assert.deepEqual(await registry.sessions({ limit: 10 }), []);
  });

  test('A session that another process takes is its own, with a higher epoch, and is otherwise as it was', async (t) => {
    const { registry, peer } = await open(t);
    await registry.saveSession(session('s'), MINUTE_MS);
    const taken = await peer.takeSession(sessionId('s'), 'signaling-2', MINUTE_MS);
    assert.ok(taken);
    const { epoch } = taken.session;
    assert.ok(epoch > 0 && Number.isSafeInteger(epoch));
    const expected = session('s', { signaling: 'signaling-2', epoch });
    assert.deepEqual(taken, { session: expected, from: 'signaling-1' });
    assert.deepEqual(await registry.findSession(sessionId('s')), expected);
    assert.equal(await registry.takeSession(sessionId('unknown'), 'signaling-2', MINUTE_MS), undefined);
  });

  test('Whoever had a session before neither writes nor deletes it', async (t) => {
    const { registry, peer } = await open(t);
    await registry.saveSession(session('s'), MINUTE_MS);
    const taken = await peer.takeSession(sessionId('s'), 'signaling-2', MINUTE_MS);
    assert.equal(await registry.saveSession(session('s', { holds: [] }), MINUTE_MS), false);
    assert.equal(await registry.deleteSession(sessionId('s'), 0), false);
    assert.deepEqual(await registry.findSession(sessionId('s')), taken?.session);
    const epoch = taken?.session.epoch ?? 0;
    const later = session('s', { signaling: 'signaling-2', epoch, connected: false });
    assert.equal(await peer.saveSession(later, MINUTE_MS), true);
    assert.equal(await peer.deleteSession(sessionId('s'), epoch), true);
    assert.equal(await registry.saveSession(session('s'), MINUTE_MS), false);
  });

  test('Nobody writes a session of another process by its epoch', async (t) => {
    const { registry, peer } = await open(t);
    await registry.saveSession(session('s'), MINUTE_MS);
    assert.equal(await peer.saveSession(session('s', { signaling: 'signaling-2' }), MINUTE_MS), false);
    assert.deepEqual(await registry.findSession(sessionId('s')), session('s'));
  });

  test('Of two that write a session which the registry lost, the higher epoch wins', async (t) => {
    const { registry, peer } = await open(t);
    const [older, newer] = [session('s', { epoch: 7 }), session('s', { epoch: 8, signaling: 'signaling-2' })];
    assert.equal(await registry.saveSession(older, MINUTE_MS), true);
    assert.equal(await peer.saveSession(newer, MINUTE_MS), true);
    assert.equal(await registry.saveSession(older, MINUTE_MS), false);
    assert.deepEqual(await registry.findSession(sessionId('s')), newer);
  });

  test('Of two that take a session at once both get it, one after the other', async (t) => {
    const { registry, peer } = await open(t);
    await registry.saveSession(session('s'), MINUTE_MS);
    const [first, second] = await Promise.all([
      registry.takeSession(sessionId('s'), 'signaling-2', MINUTE_MS),
      peer.takeSession(sessionId('s'), 'signaling-3', MINUTE_MS),
    ]);
    const [lower, higher] = [first, second].sort((a, b) => (a?.session.epoch ?? 0) - (b?.session.epoch ?? 0));
    assert.equal(lower?.from, 'signaling-1');
    assert.equal(higher?.from, lower?.session.signaling);
    assert.deepEqual(await registry.findSession(sessionId('s')), higher?.session);
  });

  test('Taking a session gives it its time anew', async (t) => {
    const { registry, until } = await open(t);
    await registry.saveSession(session('s'), 200);
    await registry.saveSession(session('witness'), 400);
    const taken = await registry.takeSession(sessionId('s'), 'signaling-2', MINUTE_MS);
    await until(async () => (await registry.findSession(sessionId('witness'))) === undefined);
    assert.deepEqual(await registry.findSession(sessionId('s')), taken?.session);
    assert.equal(await registry.takeSession(sessionId('witness'), 'signaling-2', MINUTE_MS), undefined);
  });

  test('Sessions are listed page by page in the order of their ids', async (t) => {
    const { registry } = await open(t);
    for (const id of ['b', '_', 'a', 'B', '-']) await registry.saveSession(session(id), MINUTE_MS);
    const list = async (page: { after?: string; limit: number }) =>
      (await registry.sessions(page)).map(({ id }) => id as string);
    assert.deepEqual(await list({ limit: 10 }), ['-', 'B', '_', 'a', 'b']);
    assert.deepEqual(await list({ after: 'B', limit: 2 }), ['_', 'a']);
    assert.deepEqual(await list({ after: 'aa', limit: 2 }), ['b']);
  });

  test('What a caller does with its own session changes nothing in the registry', async (t) => {
    const { registry } = await open(t);
    const holds = [...session('s').holds];
    await registry.saveSession(session('s', { holds }), MINUTE_MS);
    holds.pop();
    assert.equal((await registry.findSession(sessionId('s')))?.holds.length, 1);
  });
}
