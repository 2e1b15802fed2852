import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { bundleWeb } from './bundle.ts';

const cache = mkdtempSync(join(tmpdir(), 'millrace-web-'));
after(() => rmSync(cache, { recursive: true, force: true }));

test('The page is bundled once, and found at the next start', async () => {
  const first = await bundleWeb(cache);
  const startedAt = performance.now();
  const second = await bundleWeb(cache);
  const tookMs = performance.now() - startedAt;
  assert.deepEqual(new Set(second.keys()), new Set(first.keys()));
  for (const [path, { body, type }] of first) {
    assert.equal(second.get(path)?.type, type);
    assert.ok(second.get(path)?.body.equals(body), path);
  }
  assert.ok(tookMs < 100, `${tookMs} ms`);
  assert.equal(readdirSync(join(cache, 'millrace/client')).length, 1);
});

test('It has the files that the page asks for, with their media types', async () => {
  const assets = await bundleWeb(cache);
  assert.match(assets.get('/')?.type ?? '', /text\/html; charset=utf-8/);
  const html = String(assets.get('/')?.body);
  const asked = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path]) => `/${path}`);
  assert.deepEqual(asked.toSorted(), ['/favicon.svg', '/main.js', '/style.css']);
  for (const path of [...asked, '/ticker.js']) assert.ok(assets.has(path), path);
});

test('Nothing in it needs more than the policy default-src self', async () => {
  const html = String((await bundleWeb(cache)).get('/')?.body);
  assert.doesNotMatch(html, /<script(?![^>]* src=)/);
  assert.doesNotMatch(html, /<style|\sstyle=|\son[a-z]+=/);
  assert.doesNotMatch(html, /https?:\/\//);
});

test('Where the cache cannot be written, the page is bundled all the same', async () => {
  const assets = await bundleWeb('/dev/null/nowhere');
  assert.ok(assets.has('/main.js'));
});
