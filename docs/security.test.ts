import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const ROOT = new URL('../', import.meta.url);
const PAGE = readFileSync(new URL('docs/security.md', ROOT), 'utf8');

/** Each `file`: “title”, “title” of a row's last cell. */
function namedTests(row: string): { file: string; title: string }[] {
  const cell = row.slice(row.lastIndexOf('| `') + 2);
  return cell.split('; `').flatMap((part) => {
    const [, file = ''] = /^`?([^`]+)`: /.exec(part) ?? [];
    return [...part.matchAll(/“([^”]+)”/g)].map(([, title = '']) => ({ file, title }));
  });
}

const rows = PAGE.split('\n').filter((line) => line.startsWith('| ') && !line.includes('where tested |'));

test('every row of docs/security.md names a test, and each of them exists', () => {
  assert.ok(rows.length > 40);
  for (const row of rows) {
    const tests = namedTests(row);
    assert.ok(tests.length > 0, row);
    for (const { file, title } of tests) {
      assert.ok(file, row);
      const source = readFileSync(new URL(file, ROOT), 'utf8');
      assert.ok(source.includes(title), `${file} has no test “${title}”`);
    }
  }
});

test('every setting and close code in docs/security.md is one that there is', () => {
  const settings = readFileSync(new URL('docs/settings.md', ROOT), 'utf8');
  const names = [...PAGE.matchAll(/MILLRACE_\w+/g)].map(([name]) => name);
  assert.ok(names.length > 10);
  for (const name of names) assert.ok(settings.includes(`\`${name}\``), name);
  const protocol = readFileSync(new URL('docs/protocol.md', ROOT), 'utf8');
  for (const [, code] of PAGE.matchAll(/\((4\d{4})\)|close code (\d{4})/g)) {
    if (code !== undefined) assert.ok(protocol.includes(code), code);
  }
});
