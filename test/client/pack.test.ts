import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { FakeServer } from '../../client/harness/fake-server.ts';
import { eventually } from '../harness/condition.ts';
import { Fixture } from '../harness/fixture.ts';
import { openDocumentClient } from '../harness/page.ts';

const ROOT = join(import.meta.dirname, '../..');
const TSC = join(ROOT, 'node_modules/.bin/tsc');
const project = mkdtempSync(join(tmpdir(), 'millrace-project-'));
const fixture = await Fixture.start({ MILLRACE_WORKERS: '1' });
after(() => rmSync(project, { recursive: true, force: true }));

/** npm and node as a user of the package would call them, from another folder. */
function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

before(() => {
  const packed = run('npm', 'pack', join(ROOT, 'client'), '--silent').trim().split('\n').at(-1) ?? '';
  writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }');
  run('npm', 'install', `./${packed}`, '--offline', '--no-audit', '--no-fund', '--silent');
});

test('The package holds what it promises, and needs nothing else', () => {
  const folder = join(project, 'node_modules/@millrace/client');
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  assert.equal(manifest.license, 'Apache-2.0');
  assert.deepEqual(Object.keys(manifest.dependencies ?? {}), []);
  for (const file of ['dist/index.js', 'dist/index.d.ts', 'README.md', 'LICENSE']) {
    assert.ok(readFileSync(join(folder, file), 'utf8').length > 0, file);
  }
  assert.doesNotMatch(readFileSync(join(folder, 'dist/index.js'), 'utf8'), /^import /m);
});

test('Its types fit a strict project', () => {
  writeFileSync(
    join(project, 'use.ts'),
    `import { connect, MillraceError, type Playback, type Publication } from '@millrace/client';
export async function use(tracks: MediaStreamTrack[]): Promise<void> {
  const client = await connect('wss://example.org/ws', { token: async () => 'jwt', timeoutMs: 1000 });
  const publication: Publication = await client.publish('a', tracks, { simulcast: true, codecs: ['VP8'] });
  publication.on('ended', ({ reason, error }) => console.log(reason, error?.code));
  const playback: Playback = await client.play('a', { waitMs: 5000 });
  playback.on('moved', () => console.log(playback.mediaStream.getTracks().length));
  await playback.mute({ audio: true });
  // @ts-expect-error there is no such event
  playback.on('nothing', () => {});
  await client.close().catch((error: unknown) => error instanceof MillraceError && error.errorName);
}
`,
  );
  run(
    TSC,
    '--noEmit',
    '--strict',
    '--exactOptionalPropertyTypes',
    '--module',
    'nodenext',
    '--target',
    'es2022',
    'use.ts',
  );
});

test('It speaks with a server from Node', async () => {
  const server = await FakeServer.start();
  after(() => server.stop());
  writeFileSync(
    join(project, 'use.js'),
    `import { connect } from '@millrace/client';
const client = await connect(process.argv[2]);
const refused = await client.play('nothing').catch(({ name, errorName }) => name + ' ' + errorName);
console.log(client.state, refused);
await client.close();
console.log(client.state);
`,
  );
  const { stdout } = await promisify(execFile)(process.execPath, ['use.js', server.url], { cwd: project });
  assert.equal(stdout, 'connected MillraceError unsupported\nclosed\n');
});

for (const browser of ['chromium', 'firefox'] as const) {
  test(`Bundled for browsers, it publishes and plays in ${browser}`, async () => {
    writeFileSync(join(project, 'app.js'), `export * from '@millrace/client';\n`);
    const { outputFiles } = await build({
      entryPoints: [join(project, 'app.js')],
      bundle: true,
      write: false,
      format: 'iife',
      globalName: 'packed',
    });
    const page = await openDocumentClient(await fixture.browser(browser), fixture.server.httpUrl);
    await page.page.evaluate(`${outputFiles[0]?.text}; globalThis.packed = packed;`);
    await page.run(`(async () => {
      globalThis.client = await packed.connect('${fixture.server.wsUrl}/ws');
      globalThis.publication = await client.publish('packed-${browser}', documentClient.pattern().stream);
      globalThis.playback = await client.play('packed-${browser}');
    })()`);
    await eventually('decoded pictures', async () => {
      const { framesDecoded } = await page.run<{ framesDecoded: number }>('playback.stats()');
      return framesDecoded > 10;
    });
    await page.run('client.close()');
    assert.equal(await page.run('client.state'), 'closed');
    await page.close();
  });
}
