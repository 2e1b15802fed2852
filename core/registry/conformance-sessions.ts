import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Open, session, sessionId } from './conformance-trial.ts';

export function describeSessions(open: Open): void {
  const MINUTE_MS = 60_000;

  test('A saved session is found as it was saved last', async (t) => {
    const { registry, peer } = await open(t);
    await registry.saveSession(session('s'), MINUTE_MS);
    assert.deepEqual(await peer.findSession(sessionId('s')), session('s'));
    const later = session('s', { connected: false, events: true, holds: [], signaling: 'signaling-2' });
    await peer.saveSession(later, MINUTE_MS);
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

  test('A deleted session is gone, and deleting it again does nothing', async (t) => {
    const { registry } = await open(t);
    await registry.saveSession(session('s'), MINUTE_MS);
    await registry.deleteSession(sessionId('s'));
    await registry.deleteSession(sessionId('s'));
    assert.equal(await registry.findSession(sessionId('s')), undefined);
    assert.deepEqual(await registry.sessions({ limit: 10 }), []);
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
