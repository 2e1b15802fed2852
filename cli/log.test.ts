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

it('a log for people keeps each record on its line, and moves no cursor, whatever names are in it', () => {
  const stream = 'a\n00:00:00.000 info  forged\r\u001b[2J\u001b]0;title\u0007\u009b1m\u202egnp\u2028\ud800';
  const text = written('pretty', (log) => log.info({ stream, viewers: 1 }, `publishes ${stream}`));
  assert.equal(text.split('\n').length, 2);
  assert.doesNotMatch(text.trimEnd(), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
  assert.match(text, /\\u000a00:00:00\.000 info {2}forged\\u000d\\u001b\[2J/);
});

it('a log for people keeps fields apart, and names in every script readable', () => {
  const text = (stream: string) => written('pretty', (log) => log.info({ stream }, 'ended')).slice(19, -1);
  assert.equal(text('lobby reason=none'), 'ended  stream="lobby reason=none"');
  assert.equal(text('a"b'), 'ended  stream="a\\"b"');
  assert.equal(text(''), 'ended  stream=""');
  assert.equal(text('直播-é-🎥-مرحبا'), 'ended  stream=直播-é-🎥-مرحبا');
});

it('no words of an error look like a record of their own', () => {
  const err = new Error('bad\n00:00:00.000 info  forged\u001b[2J');
  const text = written('pretty', (log) => log.error({ err }, 'failed'));
  assert.match(text, /\nError: bad\n {4}00:00:00\.000 info {2}forged\\u001b\[2J\n {4}at /);
});

it('logs are for people on a terminal, and for programs elsewhere', () => {
  assert.equal(logFormat({ logFormat: undefined }, true), 'pretty');
  assert.equal(logFormat({ logFormat: undefined }, false), 'json');
  assert.equal(logFormat({ logFormat: 'json' }, true), 'json');
});
