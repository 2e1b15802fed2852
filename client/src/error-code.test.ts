import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLOSE_CODES } from '../../core/protocol/close-code.ts';
import { ERROR_CODES as SERVER_CODES } from '../../core/protocol/error.ts';
import { closeAction } from './close-code.ts';
import { MillraceError } from './error.ts';
import { ERROR_CODES } from './error-code.ts';

test("The client's error table is the server's", () => {
  assert.deepEqual({ ...ERROR_CODES }, { ...SERVER_CODES });
});

test('Failures of the server and of the connection are temporary, those of the caller are not', () => {
  const temporary = (name: ConstructorParameters<typeof MillraceError>[0]): boolean =>
    new MillraceError(name, '').temporary;
  assert.deepEqual(
    (['internal', 'timed_out', 'registry_unavailable', 'too_many', 'disconnected', 'no_reply'] as const).map(
      temporary,
    ),
    [true, true, true, true, true, true],
  );
  assert.deepEqual(
    (['malformed', 'stream_not_found', 'not_authorised', 'closed', 'no_common_codec'] as const).map(
      temporary,
    ),
    [false, false, false, false, false],
  );
});

test('Each close code of the server is answered as its documentation says', () => {
  const actions = Object.fromEntries(
    Object.entries(CLOSE_CODES).map(([name, code]) => [name, closeAction(code, '').action]),
  );
  assert.deepEqual(actions, {
    normal: 'reconnect',
    unsupported_data: 'stop',
    policy: 'stop',
    message_too_large: 'stop',
    service_restart: 'reconnect',
    try_again_later: 'reconnect',
    session_taken_over: 'stop',
    heartbeat_timeout: 'reconnect',
    too_many_bad_messages: 'stop',
    session_ended: 'stop',
    slow_reader: 'reconnect',
  });
});

test('A session that ended with its token is begun again, as there may be a newer token', () => {
  const { action } = closeAction(CLOSE_CODES.policy, 'token_expired: get a new token, then connect again');
  assert.equal(action, 'reconnect');
});

test('"Try again later" is waited for longer than a mere loss', () => {
  const later = closeAction(CLOSE_CODES.try_again_later, '');
  assert.ok(later.action === 'reconnect' && later.leastDelayMs >= 5000);
});
