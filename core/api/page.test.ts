import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamReport } from '../channel/media.ts';
import { MillraceError } from '../protocol/error.ts';
import { publicSessionId, type SessionId } from '../protocol/session-id.ts';
import type { StreamName } from '../protocol/stream-name.ts';
import type { NodeId, SessionRecord } from '../registry/record.ts';
import { parsePage, sessionList, streamList } from './page.ts';
import { SessionListSchema, StreamListSchema } from './schema.ts';

const A = 'node-a' as NodeId;
const B = 'node-b' as NodeId;

function report(name: string, epoch = 1): StreamReport {
  return {
    stream: name as StreamName,
    epoch,
    session: 'AAECAwQFBgcICQoLDA0ODw' as SessionId,
    sinceMs: 0,
    tracks: [{ kind: 'video', codec: 'VP8', encodings: 2 }],
    muted: { video: false, audio: false },
    live: true,
    viewers: 3,
    bitrateBps: 900_000,
    encodings: [{ rid: 'l', bitrateBps: 100_000 }],
    lossRatio: 0.02,
    roundTripMs: null,
  };
}

function session(id: string): SessionRecord {
  return {
    id: id.padEnd(22, 'A') as SessionId,
    subject: '',
    livesBy: 'socket',
    signaling: 's',
    epoch: 0,
    connected: true,
    events: false,
    holds: [{ stream: 'camera' as StreamName, role: 'play', node: A }],
  };
}

test('a page of streams is merged from all media servers, in the order of names', () => {
  const list = streamList(
    [
      { node: A, streams: [report('a'), report('c')] },
      { node: B, streams: [report('b'), report('\u{1F3A5}'), report('\uFFFD')] },
    ],
    10,
  );
  StreamListSchema.parse(list);
  assert.deepEqual(
    list.streams.map(({ name, node }) => [name, node]),
    [
      ['a', A],
      ['b', B],
      ['c', A],
      ['\uFFFD', B],
      ['\u{1F3A5}', B],
    ],
  );
  assert.equal(list.next, null);
});

test('a full page names the one behind which the next begins', () => {
  const answers = [
    { node: A, streams: [report('a'), report('d')] },
    { node: B, streams: [report('b'), report('c')] },
  ];
  const list = streamList(answers, 2);
  assert.deepEqual([list.streams.map(({ name }) => name), list.next], [['a', 'b'], 'b']);
  assert.equal(streamList([{ node: A, streams: [report('a'), report('b')] }], 2).next, 'b');
});

test('of two media servers with one stream the higher epoch is shown', () => {
  const list = streamList(
    [
      { node: A, streams: [report('a', 7)] },
      { node: B, streams: [report('a', 8)] },
    ],
    10,
  );
  assert.deepEqual(
    list.streams.map(({ node }) => node),
    [B],
  );
});

test('a media server that did not answer is named', () => {
  assert.deepEqual(
    streamList(
      [
        { node: A, streams: [] },
        { node: B, streams: null },
      ],
      10,
    ),
    {
      streams: [],
      next: null,
      unreachable_nodes: [B],
    },
  );
});

test('sessions are paged by their public ids, and their secret ones appear nowhere', () => {
  const records = ['a', 'b', 'c', 'd', 'e'].map(session);
  const ids: string[] = [];
  let after: string | undefined;
  for (let pages = 0; pages < 3; pages += 1) {
    const page = sessionList(records, { limit: 2, ...(after !== undefined && { after }) });
    SessionListSchema.parse(page);
    ids.push(...page.sessions.map(({ id }) => id));
    assert.equal(
      records.some(({ id }) => JSON.stringify(page).includes(id)),
      false,
    );
    after = page.next ?? undefined;
  }
  assert.equal(after, undefined);
  assert.deepEqual(ids, records.map(({ id }) => publicSessionId(id)).sort());
});

for (const [query, expected] of [
  ['', { limit: 100 }],
  ['limit=1000', { limit: 1000 }],
  ['limit=1&after=%E7%9B%B4%2F1', { limit: 1, after: '直/1' }],
  ['after=', { limit: 100 }],
  ['colour=red', { limit: 100 }],
] as const) {
  test(`the query "${query}" is read`, () => {
    assert.deepEqual(parsePage(new URLSearchParams(query)), expected);
  });
}

for (const limit of ['0', '1001', '-1', '1.5', '1e2', '', 'all', '9'.repeat(400)]) {
  test(`a limit of "${limit.slice(0, 10)}" is refused`, () => {
    assert.throws(
      () => parsePage(new URLSearchParams({ limit })),
      (error) =>
        error instanceof MillraceError &&
        error.errorName === 'invalid_field' &&
        /"limit" is .*; it must be an integer from 1 to 1000/.test(error.message) &&
        error.message.length < 120,
    );
  });
}
