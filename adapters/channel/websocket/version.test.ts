import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import WebSocket, { WebSocketServer } from 'ws';
import {
  collect,
  echoing,
  LONG_MS,
  named,
  type TrialCalls,
  type TrialNotice,
  until,
} from '../../../core/channel/conformance-trial.ts';
import type { Gone } from './gone.ts';
import { clusterToken, connect, startChannelServer } from './harness/connection.ts';

/** Programs of three releases in a row, by the versions they speak. */
const [OLD, NOW, NEXT] = [[1], [2, 1], [3, 2]] as const;

describe('A rolling update:', () => {
  for (const [name, server, client] of [
    ['an old caller and a new server', NOW, OLD],
    ['a new caller and an old server', OLD, NOW],
    ['two of one version', NOW, NOW],
  ] as const) {
    test(`${name} understand each other`, async (t) => {
      const { address } = await startChannelServer(t, () => echoing, { versions: server });
      const channel = connect<TrialCalls, never>(t, address, { versions: client });
      assert.deepEqual(await channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS }), { value: 1 });
    });
  }

  for (const [name, server, client] of [
    ['A caller two versions older', NEXT, OLD],
    ['A caller two versions newer', OLD, NEXT],
  ] as const) {
    test(`${name} is refused, and told why`, async (t) => {
      const { address } = await startChannelServer(t, () => echoing, { versions: server });
      const gone = await new Promise<Gone>((onGone) => {
        connect<TrialCalls, never>(t, address, { versions: client, onGone });
      });
      assert.equal(gone.why, 'rejected');
      assert.match(gone.detail, /^400 .*speaks millrace-channel\.v\d.*one version/);
    });
  }
});

describe('Within a version,', () => {
  test('a call that an older server does not know fails with "unknown_method"', async (t) => {
    const { address } = await startChannelServer(t, () => echoing);
    const channel = connect<{ newer: { request: object; reply: object } }, never>(t, address);
    await assert.rejects(channel.call('newer', {}, { timeoutMs: LONG_MS }), named('unknown_method'));
  });

  test('a server ignores frames and fields that only a newer caller knows', async (t) => {
    const { address } = await startChannelServer(t, () => echoing);
    const socket = new WebSocket(`${address}/media`, ['millrace-channel.v1'], {
      headers: { authorization: `Bearer ${await clusterToken('media')}` },
    });
    t.after(() => socket.terminate());
    const answers: unknown[] = [];
    socket.on('message', (data) => answers.push(JSON.parse(String(data))));
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send('{"cancel": 1}');
    socket.send('{"id": 1, "call": "echo", "data": {"value": 7, "newer": true}, "priority": "high"}');
    await until(() => answers.length > 0);
    assert.deepEqual(answers, [{ id: 1, data: { value: 7 } }]);
  });

  test('a caller ignores what only a newer server knows, and takes its failures for "internal"', async (t) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    t.after(() => server.close());
    server.on('connection', (socket) => {
      socket.send('{"progress": 0.5}');
      socket.send('{"notice": {"number": 1}, "newer": true}');
      socket.on('message', (data) => {
        const { id, call } = JSON.parse(String(data));
        socket.send(
          call === 'echo'
            ? `{"id": ${id}, "data": {"value": 1}, "took_ms": 3}`
            : `{"id": ${id}, "error": {"name": "newer_failure", "message": "what happened", "newer": 1}}`,
        );
      });
    });
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const channel = connect<TrialCalls, TrialNotice>(t, `ws://127.0.0.1:${port}`);
    const heard = collect(channel);
    assert.deepEqual(await channel.call('echo', { value: 1 }, { timeoutMs: LONG_MS }), { value: 1 });
    await assert.rejects(channel.call('wait', { name: 'x' }, { timeoutMs: LONG_MS }), (error: Error) => {
      assert.ok(named('internal')(error));
      assert.equal(error.message, 'what happened');
      return true;
    });
    assert.deepEqual(heard, [1]);
  });
});
