import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createLog, logFormat } from './log.ts';

function written(format: 'json' | 'pretty', write: (log: ReturnType<typeof createLog>) => void): string {
  let text = '';
  const out = {
    write(line: string) {
      text += line;
    },
  };
  write(createLog('info', format, out));
  return text;
}

it('a log for programs is one JSON record a line', () => {
  const text = written('json', (log) => log.info({ stream: 'lobby' }, 'published'));
  const { level, msg, stream, time } = JSON.parse(text);
  assert.deepEqual({ level, msg, stream }, { level: 'info', msg: 'published', stream: 'lobby' });
  assert.ok(Math.abs(Date.parse(time) - Date.now()) < 10_000);
});

it('a log for people has the time, the level, the message and the fields on one line', () => {
  const text = written('pretty', (log) => log.warn({ stream: 'lobby', viewers: 3 }, 'ended'));
  assert.match(text, /^\d\d:\d\d:\d\d\.\d{3} warn {2}ended {2}stream=lobby viewers=3\n$/);
});

it('a log for people shows where an error comes from', () => {
  const text = written('pretty', (log) => log.error({ err: new Error('broken') }, 'failed'));
  assert.match(text, /error failed\nError: broken\n {4}at /);
});

it('logs are for people on a terminal, and for programs elsewhere', () => {
  assert.equal(logFormat({ logFormat: undefined }, true), 'pretty');
  assert.equal(logFormat({ logFormat: undefined }, false), 'json');
  assert.equal(logFormat({ logFormat: 'json' }, true), 'json');
});
