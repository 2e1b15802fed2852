import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Trouble, troubleOf } from './trouble.ts';

/** As Redis 7.0 and ioredis 5 word them. */
const CASES: readonly (readonly [said: string, kind: Trouble['kind'], text: RegExp])[] = [
  ["READONLY You can't write against a read only replica.", 'read-only', /it is a replica/],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'read-only', /maxmemory/],
  [
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist",
    'read-only',
    /disk/,
  ],
  ['NOREPLICAS Not enough good replicas to write.', 'read-only', /too few replicas/],
  ['NOAUTH Authentication required.', 'refuses', /asks for a password/],
  [
    'WRONGPASS invalid username-password pair or user is disabled.',
    'refuses',
    /refuses the user name or password/,
  ],
  ["NOPERM this user has no permissions to run the 'eval' command", 'refuses', /does not allow this user/],
  ['LOADING Redis is loading the dataset in memory', 'refuses', /it loads its data/],
  ['BUSY Redis is busy running a script.', 'refuses', /busy with a script/],
  ['CLUSTERDOWN The cluster is down', 'refuses', /not complete/],
  ["ERR unknown command 'SSUBSCRIBE'", 'refuses', /too old/],
  ['connect ECONNREFUSED 127.0.0.1:6379', 'away', /^cannot be reached: connect ECONNREFUSED/],
  ['Connection is closed.', 'away', /the connection is lost$/],
  ["Stream isn't writeable and enableOfflineQueue options is false", 'away', /the connection is lost$/],
  [
    'All sentinels are unreachable. Retrying from scratch after 10ms.',
    'away',
    /All sentinels are unreachable/,
  ],
];

describe('What Redis says means:', () => {
  for (const [said, kind, text] of CASES) {
    test(said, () => {
      const trouble = troubleOf(new Error(said));
      assert.equal(trouble.kind, kind);
      assert.match(trouble.text, text);
    });
  }

  test('an error of a script that nobody foresaw is told as it is', () => {
    const error = Object.assign(new Error('ERR bad argument'), { name: 'ReplyError' });
    assert.deepEqual(troubleOf(error), { kind: 'refuses', text: 'answered with an error: ERR bad argument' });
  });
});
