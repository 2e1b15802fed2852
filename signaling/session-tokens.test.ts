import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import type { SessionId } from '../core/protocol/index.ts';
import type { StreamEvent } from './events.ts';
import type { MediaLinks } from './media-links.ts';
import { Session } from './session.ts';
import type { SessionRecords } from './session-records.ts';
import type { SessionStore } from './session-store.ts';
import { SessionTokens } from './session-tokens.ts';

const EXPIRES_AT_MS = 100_000;

/** One session of a client with events, whose token expires at 100 s, and a clock. */
function begin() {
  const session = new Session('AAAAAAAAAAAAAAAAAAAAAA' as SessionId, 'alice');
  const clock = { ms: 0 };
  const told: string[] = [];
  const ended: string[] = [];
  const socket = () => ({
    events: true,
    sendEvent: ({ method, data }: StreamEvent) => told.push(`${clock.ms} ${method} ${JSON.stringify(data)}`),
    close: () => undefined,
  });
  session.events = true;
  session.socket = socket();
  session.identity = { subject: 'alice', expiresAtMs: EXPIRES_AT_MS, may: () => true };
  const tokens = new SessionTokens({
    graceMs: 5000,
    // Of the store, what is used here.
    sessions: {
      all: () => [session].values(),
      end: async (_session: Session, _why: string, close: { reason: string }) => {
        ended.push(`${clock.ms} ${close.reason}`);
      },
    } as unknown as SessionStore,
    records: {} as SessionRecords,
    links: {} as MediaLinks,
    wallClock: () => clock.ms,
    log: pino({ level: 'silent' }),
  });
  const sweepTo = (endMs: number) => {
    for (; clock.ms <= endMs; clock.ms += 1000) tokens.sweep();
  };
  return { session, clock, told, ended, tokens, socket, sweepTo };
}

const NOTICE = `session.expiring {"expires_at":"${new Date(EXPIRES_AT_MS).toISOString()}"}`;

test('a client is told 30 s before its token expires and every 10 s from then on; at the grace it is over', () => {
  const { told, ended, sweepTo } = begin();
  sweepTo(104_999);
  assert.deepEqual(told, [`70000 ${NOTICE}`, `80000 ${NOTICE}`, `90000 ${NOTICE}`, `100000 ${NOTICE}`]);
  assert.deepEqual(ended, []);
  sweepTo(105_000);
  assert.deepEqual(ended, ['105000 policy']);
});

test('a newer token ends the notices', () => {
  const { session, told, tokens, sweepTo } = begin();
  sweepTo(75_000);
  tokens.accept(session, { subject: 'alice', expiresAtMs: 500_000, may: () => true });
  sweepTo(200_000);
  assert.equal(told.length, 1);
});

test('a token that lives for seconds is asked for no more often than every 10 s', () => {
  const { session, told, clock, tokens } = begin();
  for (; clock.ms < 30_000; clock.ms += 1000) {
    tokens.sweep();
    tokens.accept(session, { subject: 'alice', expiresAtMs: clock.ms + 8000, may: () => true });
  }
  assert.equal(told.length, 3);
});

test('a client that is away is told when it is back, and on its new connection at once', () => {
  const { session, told, socket, sweepTo } = begin();
  session.socket = undefined;
  sweepTo(72_000);
  assert.deepEqual(told, []);
  session.socket = socket();
  sweepTo(73_000);
  assert.deepEqual(told, [`73000 ${NOTICE}`]);
  session.socket = socket();
  sweepTo(74_000);
  assert.equal(told.length, 2);
});

test('a token without expiry lasts', () => {
  const { session, told, ended, sweepTo, tokens } = begin();
  const identity = { subject: 'alice', may: () => true };
  tokens.accept(session, identity);
  sweepTo(1_000_000);
  assert.deepEqual([told, ended], [[], []]);
  tokens.demandCurrent(identity);
});

test('after its grace a token is of no use, whatever the session does', () => {
  const { session, clock, tokens } = begin();
  assert.ok(session.identity);
  clock.ms = 104_999;
  tokens.demandCurrent(session.identity);
  clock.ms = 105_000;
  const { identity } = session;
  assert.throws(() => tokens.demandCurrent(identity), { errorName: 'token_expired' });
});
