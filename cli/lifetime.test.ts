import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';

const LIFETIME = new URL('./lifetime.ts', import.meta.url).href;
const LOG = new URL('./log.ts', import.meta.url).href;

/** A process that lives until something ends it. @param body what it does once governed */
async function governed(close: string, body = ''): Promise<{ child: ChildProcess; output: () => string }> {
  const script = `
    import { createLog } from '${LOG}';
    import { governLifetime } from '${LIFETIME}';
    const lifetime = governLifetime(createLog('info', 'json'), ${close});
    setInterval(() => {}, 1000);
    console.log('governed');
    ${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  let output = '';
  const started = new Promise<void>((resolve) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes('governed')) resolve();
    });
  });
  await started;
  return { child, output: () => output };
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  // Not `close`, which does not come once the channel was closed from here.
  const outputEnded = child.stdout ? once(child.stdout, 'end') : undefined;
  const [code] = await once(child, 'exit');
  await outputEnded;
  return code;
}

describe('a process', () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    it(`closes and exits with 0 on ${signal}`, async () => {
      const { child, output } = await governed("async () => console.log('closed')");
      child.kill(signal);
      assert.equal(await exitCode(child), 0);
      assert.match(output(), /closed/);
    });
  }

  it('takes two signals at once, as a terminal and npm send them, for one', async () => {
    const { child, output } = await governed(
      "() => new Promise((resolve) => setTimeout(() => resolve(console.log('closed')), 200))",
    );
    child.kill('SIGINT');
    child.kill('SIGTERM');
    assert.equal(await exitCode(child), 0);
    assert.match(output(), /closed/);
  });

  it('exits at once on a second signal', async () => {
    const { child, output } = await governed('() => new Promise(() => {})');
    child.kill('SIGINT');
    // Again and again, as somebody who is tired of waiting would: the first within 300 ms count as one.
    const impatience = setInterval(() => child.kill('SIGINT'), 100);
    assert.equal(await exitCode(child), 1);
    clearInterval(impatience);
    assert.doesNotMatch(output(), /not everything ended in time/);
  });

  it('exits within 2 s though closing hangs', async () => {
    const { child, output } = await governed('() => new Promise(() => {})');
    const startedMs = performance.now();
    child.kill('SIGTERM');
    assert.equal(await exitCode(child), 0);
    assert.ok(performance.now() - startedMs < 2000);
    assert.match(output(), /not everything ended in time/);
  });

  it('closes when the process that started it is gone', async () => {
    const { child, output } = await governed("async () => console.log('closed')");
    child.disconnect();
    assert.equal(await exitCode(child), 0);
    assert.match(output(), /closed/);
  });

  for (const [what, statement] of [
    ['an exception', "setTimeout(() => { throw new Error('broken') })"],
    ['a rejection', "Promise.reject(new Error('broken'))"],
  ] as const) {
    it(`logs ${what} that nothing caught, closes, and exits with 1`, async () => {
      const { child, output } = await governed("async () => console.log('closed')", statement);
      assert.equal(await exitCode(child), 1);
      assert.match(output(), /"level":"fatal".*broken/);
      assert.match(output(), /closed/);
    });
  }
});
