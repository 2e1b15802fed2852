import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import WebSocket from 'ws';
import { echoing, LONG_MS, type TrialCalls, until } from '../../../core/channel/conformance-trial.ts';
import type { AnyServe } from './answering.ts';
import { clusterToken, connect, startChannelServer } from './harness/connection.ts';
import type { ChannelServerOptions } from './server.ts';

/** A server, an honest caller that must not notice anything, and ways to be hostile. */
async function attacked(
  t: TestContext,
  { serve = () => echoing, ...options }: Partial<ChannelServerOptions> & { serve?: AnyServe } = {},
) {
  const { server, address, errors } = await startChannelServer(t, serve, options);
  const honest = connect<TrialCalls, never>(t, address);
  const unharmed = async () => {
    assert.deepEqual(await honest.call('echo', { value: 1 }, { timeoutMs: LONG_MS }), { value: 1 });
    assert.deepEqual(errors, []);
  };
  await unharmed();
  const tcp = (): Promise<Socket> =>
    new Promise((resolve) => {
      const socket = connectTcp(server.port, '127.0.0.1', () => resolve(socket));
      socket.on('error', () => {});
      t.after(() => socket.destroy());
    });
  /** One that has a token and uses it badly. */
  const insider = async (): Promise<WebSocket> => {
    const socket = new WebSocket(`${address}/media`, ['millrace-channel.v1'], {
      headers: { authorization: `Bearer ${await clusterToken('media')}` },
    });
    t.after(() => socket.terminate());
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('open', resolve));
    return socket;
  };
  return { server, address, unharmed, tcp, insider };
}

const closeOf = (socket: WebSocket | Socket) =>
  new Promise<number>((resolve) => socket.once('close', (code: number) => resolve(code)));

async function answerOf(socket: WebSocket, text: string): Promise<unknown> {
  const answer = new Promise((resolve) =>
    socket.once('message', (data) => resolve(JSON.parse(String(data)))),
  );
  socket.send(text);
  return answer;
}

describe('Somebody without a token', () => {
  test('who sends random bytes is cut off', async (t) => {
    const { unharmed, tcp } = await attacked(t);
    await Promise.all(
      Array.from({ length: 30 }, async () => {
        const socket = await tcp();
        const closed = closeOf(socket);
        socket.write(randomBytes(2000));
        await closed;
      }),
    );
    await unharmed();
  });

  test('who sends a handshake byte by byte, or nothing, is cut off when its time is up', async (t) => {
    const { unharmed, tcp } = await attacked(t, { handshakeTimeoutMs: 200 });
    const [slow, mute] = [await tcp(), await tcp()];
    const drip = setInterval(() => slow.writable && slow.write('G'), 20);
    t.after(() => clearInterval(drip));
    await Promise.all([closeOf(slow), closeOf(mute)]);
    await unharmed();
  });

  test('who opens connection after connection does not keep others out', async (t) => {
    const { server, address, unharmed, tcp } = await attacked(t, {
      maxConnections: 500,
      handshakeTimeoutMs: 10 * LONG_MS,
    });
    const flood = Array.from({ length: 300 }, () => tcp());
    // Most of them are closed before they are of any use.
    const open = (await Promise.all(flood)).filter((socket) => !socket.destroyed);
    await until(() => open.filter((socket) => !socket.destroyed).length <= 64);
    await unharmed();
    // From the flood's own address nobody new comes in until it is over.
    for (const socket of open) socket.destroy();
    await until(() => server.size === 1);
    const late = connect<TrialCalls, never>(t, address);
    await late.call('echo', { value: 1 }, { timeoutMs: LONG_MS });
  });

  test('who asks by plain HTTP is told that only WebSockets are served', async (t) => {
    const { server, unharmed } = await attacked(t);
    for (const [path, method] of [
      ['/', 'GET'],
      ['/media', 'GET'],
      ['/media', 'POST'],
      ['/../../etc/passwd', 'GET'],
    ] as const) {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
      assert.equal(response.status, 426);
      await response.arrayBuffer();
    }
    await unharmed();
  });

  test('who asks for a WebSocket elsewhere gets 404', async (t) => {
    const { address, unharmed } = await attacked(t);
    for (const path of ['', 'admin', 'media/', 'media?x=1', '__proto__', 'constructor', '%6dedia']) {
      const socket = new WebSocket(`${address}/${path}`, ['millrace-channel.v1']);
      const status = await new Promise((resolve) => {
        socket.once('unexpected-response', (request, response) => {
          resolve(response.statusCode);
          request.destroy();
        });
        socket.on('error', () => {});
      });
      assert.equal(status, 404, path);
    }
    await unharmed();
  });
});

describe('Somebody with a token', () => {
  for (const [name, text] of [
    ['what is not JSON', 'hello'],
    ['what is no object', '[1, 2]'],
    ['null', 'null'],
    ['a call without an id', '{"call": "echo", "data": {}}'],
    ['a call whose id is no number', '{"id": {"toString": 1}, "call": "echo"}'],
    ['a call whose name is no text', '{"id": 1, "call": ["echo"]}'],
  ] as const) {
    test(`who sends ${name} is cut off`, async (t) => {
      const { unharmed, insider } = await attacked(t);
      const socket = await insider();
      const closed = closeOf(socket);
      socket.send(text);
      assert.equal(await closed, 4000);
      await unharmed();
    });
  }

  test('who sends bytes instead of text is cut off', async (t) => {
    const { unharmed, insider } = await attacked(t);
    const socket = await insider();
    const closed = closeOf(socket);
    socket.send(randomBytes(100));
    assert.equal(await closed, 4000);
    await unharmed();
  });

  test('who sends random bytes under the WebSocket is cut off', async (t) => {
    const { unharmed, tcp } = await attacked(t);
    const socket = await tcp();
    socket.write(
      `GET /media HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Protocol: millrace-channel.v1\r\n` +
        `Authorization: Bearer ${await clusterToken('media')}\r\n\r\n`,
    );
    const status = await new Promise((resolve) =>
      socket.once('data', (data) => resolve(String(data).slice(9, 12))),
    );
    assert.equal(status, '101');
    const closed = closeOf(socket);
    socket.resume();
    // No continuation, extension bit or length of these can be the start of a frame.
    socket.write(Buffer.concat([Buffer.from([0xff]), randomBytes(5000)]));
    await closed;
    await unharmed();
  });

  test('who sends a message that is too long is cut off before it is held', async (t) => {
    const { unharmed, insider } = await attacked(t, { limits: { maxMessageBytes: 64 * 1024 } });
    const socket = await insider();
    const closed = closeOf(socket);
    socket.send('x'.repeat(1024 * 1024));
    assert.equal(await closed, 1009);
    await unharmed();
  });

  for (const name of [
    'constructor',
    'toString',
    'hasOwnProperty',
    '__proto__',
    '__defineGetter__',
    'then',
    '',
  ]) {
    test(`who calls "${name}" learns that there is no such call`, async (t) => {
      const { unharmed, insider } = await attacked(t);
      const answer = await answerOf(
        await insider(),
        JSON.stringify({ id: 1, call: name, data: ['return process'] }),
      );
      assert.match(JSON.stringify(answer), /"name":"unknown_method"/);
      await unharmed();
    });
  }

  test('who names fields after prototypes changes nobody’s', async (t) => {
    const { unharmed, insider } = await attacked(t);
    const socket = await insider();
    await answerOf(
      socket,
      '{"id": 1, "call": "echo", "__proto__": {"polluted": 1}, "data": {"value": {"__proto__": {"polluted": 1}}}}',
    );
    await answerOf(
      socket,
      '{"id": 2, "call": "echo", "data": {"value": {"constructor": {"prototype": {"polluted": 1}}}}}',
    );
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
    await unharmed();
  });

  test('who nests a message as deep as it can harms only its own call', async (t) => {
    const { insider } = await attacked(t);
    const socket = await insider();
    const nested = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const answer = await answerOf(socket, `{"id": 1, "call": "echo", "data": {"value": ${nested}}}`);
    assert.match(JSON.stringify(answer), /"name":"internal"/);
    const next = await answerOf(socket, '{"id": 2, "call": "echo", "data": {"value": 1}}');
    assert.deepEqual(next, { id: 2, data: { value: 1 } });
  });

  test('who calls without waiting for replies is refused what is beyond the bound', async (t) => {
    let running = 0;
    let most = 0;
    const serve = () => ({
      ...echoing,
      wait: async ({ name }: { name: string }) => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 20));
        running--;
        return { name };
      },
    });
    const { unharmed, insider } = await attacked(t, { serve, maxCallsInFlight: 10 });
    const socket = await insider();
    let answers = 0;
    socket.on('message', () => answers++);
    for (let id = 0; id < 5000; id++) socket.send(JSON.stringify({ id, call: 'wait', data: { name: '' } }));
    await until(() => answers === 5000);
    assert.equal(most, 10);
    await unharmed();
  });
});
