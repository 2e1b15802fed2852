import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseArguments } from './arguments.ts';
import { readSettings } from './read-settings.ts';
import { recorderEnvironment, recorderLogLevel } from './recorder-environment.ts';

const SECRET = 'a secret of the channel with enough bytes';

describe('the environment of recorders', () => {
  it('has the settings that they need, wherever they come from, and what is not ours', () => {
    const environment = { PATH: '/bin', AWS_PROFILE: 'media', MILLRACE_MAX_SESSIONS: '7' };
    const read = readSettings(
      parseArguments(['--recordings', '/data', '--recording-spool', '/spool']),
      environment,
    );
    const told = recorderEnvironment(read, environment, 'json');
    assert.deepEqual(
      Object.entries(told).filter(([name]) => name !== 'NODE_COMPILE_CACHE' && !name.startsWith('MALLOC_')),
      Object.entries({
        PATH: '/bin',
        AWS_PROFILE: 'media',
        MILLRACE_RECORDINGS: '/data',
        MILLRACE_RECORDING_SPOOL: '/spool',
        MILLRACE_LOG_LEVEL: 'info',
        MILLRACE_LOG_FORMAT: 'json',
      }),
    );
    assert.equal(readSettings(parseArguments([]), told).settings.recordingSpool, '/spool');
  });

  it('has no secret of the server', () => {
    const environment = { MILLRACE_CHANNEL_SECRET: SECRET, MILLRACE_AUTH_KEY: SECRET };
    const told = recorderEnvironment(readSettings(parseArguments([]), environment), environment, 'json');
    assert.ok(!JSON.stringify(told).includes(SECRET));
  });

  it('tells the supervisor how to log without all settings being read', () => {
    const environment = { MILLRACE_LOG_LEVEL: 'debug' };
    const told = recorderEnvironment(readSettings(parseArguments([]), environment), environment, 'pretty');
    assert.deepEqual(recorderLogLevel(told), { level: 'debug', format: 'pretty' });
  });
});
