import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guardedPipes } from './pipe-requests.ts';
import type { PipeCalls, PipeNotice } from './pipes.ts';
import type { PeerIdentity, Serve } from './service.ts';

const END = {
  ip: '10.0.0.7',
  port: 40_000,
  srtpParameters: { cryptoSuite: 'AEAD_AES_256_GCM', keyBase64: Buffer.alloc(44).toString('base64') },
};

function handlersFor(identity: PeerIdentity) {
  const asked: unknown[] = [];
  const note = async (request: unknown) => {
    asked.push(request);
    return {} as never;
  };
  const serve: Serve<PipeCalls, PipeNotice> = () => ({
    locate: note,
    adopt: note,
    open: note,
    pull: note,
    release: note,
    close: note,
  });
  return { asked, handlers: guardedPipes(serve)({ identity, notify: () => {}, onClose: () => {} }) };
}

test('A process of the cluster asks for any stream, and what it asks arrives as it was said', async () => {
  const { asked, handlers } = handlersFor({});
  const requests = [
    ['locate', { stream: 'a' }],
    ['adopt', { stream: 'b', by: { node: 'n', address: 'ws://10.0.0.8:1' }, without: ['m'] }],
    ['open', { pipe: 'p', worker: 'w', end: END }],
    ['pull', { pipe: 'p', pull: 'q', stream: 'c', by: 'n' }],
    ['release', { pull: 'q' }],
    ['close', { pipe: 'p' }],
  ] as const;
  for (const [name, request] of requests) await handlers[name](request as never);
  assert.deepEqual(
    asked,
    requests.map(([, request]) => request),
  );
});

test('A recorder gets the stream of its recording, and no other', async () => {
  const { asked, handlers } = handlersFor({ recording: 'r' as never, stream: 'mine' as never });
  await handlers.locate({ stream: 'mine' as never });
  await handlers.pull({ pipe: 'p', pull: 'q', stream: 'mine' as never });
  const refused = { errorName: 'not_authorised' };
  await assert.rejects(handlers.locate({ stream: 'other' as never }), refused);
  await assert.rejects(handlers.pull({ pipe: 'p', pull: 'q', stream: 'other' as never }), refused);
  assert.equal(asked.length, 2);
});

test('What is no request of a pipe is refused', async () => {
  const { asked, handlers } = handlersFor({});
  for (const end of [
    undefined,
    { ...END, ip: 'localhost' },
    { ...END, port: 0 },
    { ...END, srtpParameters: 1 },
  ])
    await assert.rejects(handlers.open({ pipe: 'p', worker: 'w', end } as never), {
      errorName: 'invalid_field',
    });
  await assert.rejects(handlers.close({} as never), { errorName: 'invalid_field' });
  assert.deepEqual(asked, []);
});
